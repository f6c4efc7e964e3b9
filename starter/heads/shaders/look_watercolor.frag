// Watercolour: washes in three tones that pool at their edges, on white paper that stays bare towards the border.
// The colours are smeared by filters.watercolor afterwards.
void main() {
    Surface s = surface_here();
    vec3 paper = vec3(0.98, 0.97, 0.94);
    float wobble = fibre(sheet() * 0.06) * 0.5 + fibre(sheet() * 0.16) * 0.3;
    vec3 c;
    if (s.part == 0) {
        float wash = smoothstep(0.62, 0.30, length(uv - vec2(0.5, 0.52)) + 0.22 * (wobble - 0.4));
        c = mix(paper, developed(background()), wash * (0.55 + 0.5 * wobble));
    } else {
        vec3 lit_color = developed(lit_and_occluded(s));
        float value = grey(lit_color);
        float steps = (floor(value * 5.0) + smoothstep(0.35, 0.65, fract(value * 5.0))) / 5.0;
        c = vivid(lit_color * (steps + 0.05) / (value + 0.05), 1.25);
        c = mix(paper, c, 0.80 + 0.25 * (wobble - 0.4));
        c = mix(c, vivid(c, 1.4) * 0.45, max(drawn_detail(s) * 0.5, outline() * 0.55));
        c = mix(c, paper, 0.85 * smoothstep(0.16, 0.0, uv.y + 0.12 * (wobble - 0.4)));
    }
    out_color = vec4(c + 0.05 * (paper_grain() - 0.5), 1.0);
}
