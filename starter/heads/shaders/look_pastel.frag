// Chalk pastels: pale colours, soft tones, coloured outlines, the tooth of the paper showing through.
void main() {
    Surface s = surface_here();
    vec3 c = s.part == 0 ? developed(background()) : mix(toon(s), developed(lit_and_occluded(s)), 0.45);
    vec3 line = vivid(c, 1.5) * 0.55;
    c = mix(vec3(grey(c)), c, 0.85);
    c = mix(c, vec3(1.0, 0.965, 0.95), s.part == 0 ? 0.62 : 0.42);
    c = mix(c, line, outline() * 0.75);
    float tooth = paper_grain() - 0.5, streak = fibre(vec2(dot(sheet(), vec2(0.8, 0.6)) * 0.12, dot(sheet(), vec2(-0.6, 0.8)) * 1.1)) - 0.5;
    out_color = vec4(c + 0.10 * tooth + 0.08 * streak, 1.0);
}
