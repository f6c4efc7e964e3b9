// A pencil drawing: outlines and three layers of hatching.
void main() {
    Surface s = surface_here();
    float grain = paper_grain(), lead = 0.0;
    if (s.part != 0) {
        float own = grey(screen(s.albedo));
        float light = grey(developed(lit_and_occluded(s)));
        if (s.material == SKIN) light = mix(light, light / max(own, 0.45) * 0.82, 0.7);
        float dark = 1.0 - light;
        float turn = s.material == HAIR ? atan(s.tangent.y, s.tangent.x) : 0.85;
        lead = 0.45 * strokes(turn, 2.6, 0.8 * smoothstep(0.15, 0.8, dark));
        lead = max(lead, 0.60 * strokes(turn + 0.5, 2.9, 0.85 * smoothstep(0.45, 0.95, dark)));
        lead = max(lead, 0.75 * smoothstep(0.70, 1.0, dark));
        lead = max(lead, max(0.75 * drawn_detail(s), 0.45 * relief_line(s)));
    } else {
        lead = 0.30 * strokes(0.85, 3.4, 0.5 * smoothstep(0.62, 0.2, length(uv - vec2(0.62, 0.5))));
    }
    lead = max(lead, 0.85 * outline());
    lead *= 0.72 + 0.5 * grain;
    out_color = vec4(mix(vec3(0.965, 0.955, 0.93), vec3(0.17, 0.165, 0.18), saturate(lead)) + 0.03 * (grain - 0.5), 1.0);
}
