// A screen print: four flat colours for everything, misregistered a little by filters.popart.
void main() {
    Surface s = surface_here();
    float pick = fract(backdrop_seed * 0.37 + background_top.r * 3.1 + background_top.b * 1.7);
    vec3 wall = pick < 0.25 ? vec3(0.98, 0.80, 0.10) : pick < 0.5 ? vec3(0.08, 0.70, 0.72) : pick < 0.75 ? vec3(0.95, 0.30, 0.52) : vec3(0.45, 0.30, 0.80);
    vec3 face = pick < 0.25 ? vec3(1.0, 0.52, 0.62) : pick < 0.5 ? vec3(1.0, 0.86, 0.32) : pick < 0.75 ? vec3(0.55, 0.90, 0.88) : vec3(1.0, 0.62, 0.30);
    vec3 hair = pick < 0.25 ? vec3(0.12, 0.55, 0.80) : pick < 0.5 ? vec3(0.92, 0.16, 0.38) : pick < 0.75 ? vec3(0.98, 0.85, 0.12) : vec3(0.15, 0.78, 0.52);
    vec3 cloth = pick < 0.5 ? vec3(0.40, 0.24, 0.68) : vec3(0.10, 0.42, 0.78);
    vec3 ink = vec3(0.07, 0.04, 0.12), c = wall;
    if (s.part != 0) {
        float own = grey(screen(s.albedo)), light = grey(developed(lit_and_occluded(s)));
        float value = s.material == SKIN ? light / max(own, 0.4) * 0.9 : light / max(own, 0.25) * 0.8;
        c = s.material == SKIN ? face : s.material == HAIR ? hair : s.material == CLOTH || s.material == HAT ? cloth : vec3(0.98);
        if (s.material == EYE) c = s.ring < IRIS_RADIUS ? (s.ring < 0.22 ? ink : wall) : vec3(0.98);
        if (s.material == GLASSES) c = s.kind > 0.5 ? ink : wall * 0.8;
        if (s.part == 2) c = vec3(0.92, 0.10, 0.22);
        if (s.material == LASH || s.inside > 0.5 && s.material == SKIN) c = ink;
        if (s.material == SKIN || s.material == HAIR || s.material == CLOTH || s.material == HAT) {
            c = mix(c, mix(c, vec3(1.0), 0.45), step(0.92, value));
            c = mix(c, c * vec3(0.72, 0.55, 0.70), step(value, 0.60));
            c = mix(c, ink, step(value, 0.36));
        }
        c = mix(c, ink, step(0.5, max(s.material == SKIN ? max(s.brow, s.beard * 0.9) : 0.0, 0.0)));
        c = mix(c, ink, smoothstep(0.35, 0.6, outline()));
    }
    out_color = vec4(c, 1.0);
}
