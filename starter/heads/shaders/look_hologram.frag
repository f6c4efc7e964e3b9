// A projection of cyan light with scan lines.
void main() {
    Surface s = surface_here();
    vec3 c = vec3(0.008, 0.02, 0.05) + vec3(0.0, 0.06, 0.10) * smoothstep(0.7, 0.0, length(uv - vec2(0.5, 0.35)));
    if (s.part != 0) {
        float facing_away = 1.0 - saturate(dot(s.normal, s.view));
        float light = grey(developed(lit_and_occluded(s)));
        float glow = 0.16 + 0.75 * light + 1.0 * pow(facing_away, 2.2);
        if (s.material == SKIN) glow *= 1.0 - 0.55 * max(saturate(s.brow), s.beard * 0.6);
        if (s.part == 2) glow *= 0.8;
        c += vec3(0.06, 0.62, 0.82) * glow * (s.part == 7 ? 1.35 : 1.0);
        c += vec3(0.5, 0.95, 1.0) * (0.5 * outline() + 0.2 * pow(light, 3.0));
    }
    float scan = 0.72 + 0.28 * smoothstep(0.2, 0.8, abs(fract(sheet().y / 3.0) - 0.5) * 2.0);
    float band = 1.0 + 0.25 * smoothstep(0.03, 0.0, abs(uv.y - fract(backdrop_seed * 0.13)));
    out_color = vec4(c * scan * band + (hash(uv * 311.0) - 0.5) * 0.02, 1.0);
}
