// Chalk on a blackboard.
void main() {
    Surface s = surface_here();
    float grain = 0.5 * paper_grain() + 0.5 * fibre(sheet() * 1.7), dust = 0.0;
    vec3 tint = vec3(0.93, 0.93, 0.88);
    if (s.part != 0) {
        vec3 lit_color = developed(lit_and_occluded(s));
        float light = grey(lit_color);
        float turn = s.material == HAIR ? atan(s.tangent.y, s.tangent.x) : -0.7;
        float own = grey(screen(s.albedo));
        float value = s.material == SKIN ? light / max(own, 0.35) * 0.85 : light;
        dust = 0.30 * smoothstep(0.15, 0.6, value) + 0.75 * strokes(turn, 3.0, 0.9 * smoothstep(0.35, 0.95, value));
        dust = max(dust, 0.95 * smoothstep(0.78, 0.98, value));
        if (s.material == EYE) dust = s.ring > IRIS_RADIUS ? 1.0 : (s.ring < 0.2 ? 0.0 : 0.55);
        if (s.material == SKIN) dust *= 1.0 - 0.85 * max(saturate(s.brow * 1.3), 0.6 * s.beard);
        tint = mix(tint, vivid(lit_color, 1.9) + 0.28, 0.55);
    } else {
        dust = 0.10 * smoothstep(0.45, 0.8, fibre(sheet() * 0.035) * 0.7 + 0.3 * fibre(sheet() * vec2(0.02, 0.2)));
    }
    dust = max(dust, 0.95 * outline()) * mix(0.6, 1.0, smoothstep(0.3, 0.6, grain));
    vec3 board = vec3(0.095, 0.135, 0.12) + 0.02 * (grain - 0.5);
    out_color = vec4(mix(board, tint, saturate(dust)), 1.0);
}
