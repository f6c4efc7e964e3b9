// Drawing on paper: grain, hatching, and how dark a drawn point should be. Lengths are pixels of a 256 px picture.
vec2 sheet() { return uv * 256.0; }

float fibre(vec2 p) {
    vec2 i = floor(p), f = fract(p); f = f * f * (3.0 - 2.0 * f);
    return mix(mix(hash(i * 0.37), hash((i + vec2(1, 0)) * 0.37), f.x),
               mix(hash((i + vec2(0, 1)) * 0.37), hash((i + vec2(1, 1)) * 0.37), f.x), f.y);
}

float paper_grain() { return 0.6 * fibre(sheet() * 0.9) + 0.4 * fibre(sheet() * 0.31 + 9.0); }

float grey(vec3 c) { return dot(c, vec3(0.3, 0.59, 0.11)); }

// 1 on a stroke: parallel strokes of a direction and a distance, wavering a little, thicker for `amount` near 1.
float strokes(float angle, float distance, float amount) {
    vec2 p = sheet();
    float along = dot(p, vec2(cos(angle), sin(angle))), across = dot(p, vec2(-sin(angle), cos(angle)));
    across += 0.7 * sin(along * 0.11 + floor(across / distance) * 2.3);
    float place = abs(fract(across / distance) - 0.5) * 2.0;
    return smoothstep(1.0 - amount, 1.0 - amount - 0.35, place) * step(0.02, amount);
}

// The slope of the surface against the viewer, and slants of the normal: draws what has no outline, like a nose.
float relief_line(Surface s) {
    if (s.part == 0) return 0.0;
    vec2 d = vec2(pixel * line_px * 0.6, 0.0);
    vec3 bend = abs(texture(normal_map, uv + d).xyz - texture(normal_map, uv - d).xyz)
              + abs(texture(normal_map, uv + d.yx).xyz - texture(normal_map, uv - d.yx).xyz);
    bool is_smooth = s.material == SKIN || s.material == CLOTH || s.material == HAT;
    return is_smooth ? smoothstep(0.75, 1.5, bend.x + bend.y + bend.z) : 0.0;
}

// Painted brows and irises are drawn, whatever the light.
float drawn_detail(Surface s) {
    if (s.material == EYE) return s.ring < 0.22 ? 1.0 : s.ring < IRIS_RADIUS ? (s.ring > IRIS_RADIUS - 0.09 ? 1.0 : 0.45) : 0.0;
    if (s.material == LASH) return 1.0;
    if (s.material == SKIN) return max(saturate(s.brow * 1.3), 0.55 * s.beard);
    return 0.0;
}
