// Synthwave: a dark figure between a magenta and a cyan light before a setting sun. filters.neon makes it glow.
void main() {
    Surface s = surface_here();
    vec3 c;
    vec3 magenta = vec3(1.0, 0.12, 0.62), cyan = vec3(0.05, 0.85, 1.0);
    if (s.part == 0) {
        c = mix(vec3(0.05, 0.01, 0.12), vec3(0.22, 0.02, 0.28), smoothstep(0.95, 0.3, uv.y));
        float sun = smoothstep(0.335, 0.325, length((uv - vec2(0.5, 0.60)) * vec2(1.0, 1.0)));
        float bars = step(fract(uv.y * 18.0), mix(0.35, 1.0, smoothstep(0.35, 0.75, uv.y)));
        c = mix(c, mix(vec3(1.0, 0.12, 0.5), vec3(1.0, 0.78, 0.2), smoothstep(0.35, 0.9, uv.y)), sun * bars);
        if (uv.y < 0.30) {
            float far = 0.06 / (0.31 - uv.y);
            vec2 grid = abs(fract(vec2((uv.x - 0.5) * far * 14.0, far * 9.0)) - 0.5);
            c = mix(vec3(0.04, 0.0, 0.10), magenta * 0.9, smoothstep(0.44, 0.49, max(grid.x, grid.y)));
        }
    } else {
        vec3 n = s.normal;
        float base = grey(screen(s.albedo));
        c = s.material == EYE ? vec3(0.75) * smoothstep(0.16, 0.24, s.ring) * (s.ring < IRIS_RADIUS ? cyan : vec3(1.0)) : vec3(0.10, 0.03, 0.22) + 0.35 * base * vec3(0.55, 0.28, 0.8);
        float front = saturate(dot(n, normalize(vec3(0.1, 0.3, 1.0))));
        c *= 0.35 + 0.85 * front;
        c += magenta * pow(saturate(dot(n, normalize(vec3(-1.0, 0.15, 0.25)))), 1.5) * (0.25 + 0.75 * base);
        c += cyan * pow(saturate(dot(n, normalize(vec3(1.0, 0.15, 0.25)))), 1.5) * (0.25 + 0.75 * base);
        if (s.part == 2) c += vec3(0.35, 0.0, 0.15);
        if (s.material == SKIN) c *= 1.0 - 0.7 * saturate(s.brow * 1.3);
        if (s.material == LASH) c = vec3(0.02, 0.0, 0.05);
        c = mix(c, mix(magenta, cyan, smoothstep(0.3, 0.7, uv.x)) * 1.1, outline() * 0.75);
    }
    out_color = vec4(c, 1.0);
}
