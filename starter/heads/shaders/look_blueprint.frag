// A technical drawing: white lines and contour levels on blue, with a grid.
void main() {
    Surface s = surface_here();
    vec3 c = vec3(0.055, 0.20, 0.47) * (0.95 + 0.1 * paper_grain());
    vec2 fine = abs(fract(sheet() / 8.0) - 0.5), coarse = abs(fract(sheet() / 32.0) - 0.5);
    c += 0.05 * smoothstep(0.44, 0.48, max(fine.x, fine.y)) + 0.09 * smoothstep(0.480, 0.495, max(coarse.x, coarse.y));
    float line = outline();
    if (s.part != 0) {
        c += vec3(0.05, 0.09, 0.13) * (0.3 + 0.7 * saturate(s.normal.z));
        vec2 d = vec2(pixel, 0.0);
        float level = s.position.z * 9.0;
        float slope = 9.0 * (abs(texture(truth_map, uv + d).y - s.depth) + abs(texture(truth_map, uv + d.yx).y - s.depth));
        bool is_smooth = s.material == SKIN || s.material == CLOTH || s.material == HAT;
        if (is_smooth && slope < 0.5) line = max(line, 0.50 * smoothstep(1.4 * slope + 0.03, 0.4 * slope, abs(fract(level) - 0.5)));
        if (s.material == HAIR) line = max(line, 0.55 * step(0.72, s.rank) + 0.2 * step(s.along, 0.3));
        line = max(line, max(0.85 * drawn_detail(s), 0.5 * relief_line(s)));
    }
    out_color = vec4(mix(c, vec3(0.90, 0.95, 1.0), saturate(line) * 0.92), 1.0);
}
