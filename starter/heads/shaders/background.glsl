// Backdrops, linear light. Numbers are those of scene.BACKDROPS.
uniform vec3 background_top, background_bottom; uniform int backdrop; uniform float backdrop_seed;

float value_noise(vec2 p) {
    vec2 i = floor(p), f = fract(p); f = f * f * (3.0 - 2.0 * f);
    return mix(mix(hash(i), hash(i + vec2(1, 0)), f.x), mix(hash(i + vec2(0, 1)), hash(i + vec2(1, 1)), f.x), f.y);
}

float clouds(vec2 p) { return 0.55 * value_noise(p) + 0.3 * value_noise(p * 2.1 + 7.0) + 0.15 * value_noise(p * 4.3 + 3.0); }

// Out-of-focus lights in a jittered grid.
vec3 bokeh(vec2 p, vec3 warm, vec3 cold) {
    vec3 sum = vec3(0.0);
    vec2 cell = floor(p);
    for (int i = 0; i < 9; i++) {
        vec2 c = cell + vec2(float(i % 3) - 1.0, float(i / 3) - 1.0) + backdrop_seed;
        vec2 at = c - backdrop_seed + 0.5 + 0.4 * (vec2(hash(c), hash(c + 9.1)) - 0.5);
        float size = 0.16 + 0.26 * hash(c + 3.3);
        sum += smoothstep(size, size * 0.82, length(p - at)) * mix(warm, cold, hash(c + 5.7)) * (0.15 + 0.6 * hash(c + 2.2));
    }
    return sum;
}

vec3 background() {
    vec2 p = vec2(uv.x - 0.5, uv.y - 0.5);
    vec3 c = mix(background_bottom, background_top, uv.y);
    if (backdrop == 2) c = mix(background_bottom, background_top, smoothstep(0.75, 0.1, length(p - vec2(0.0, 0.08))));
    else if (backdrop == 3) c += 0.6 * bokeh(uv * 5.0, background_top * 1.4 + 0.12, background_bottom + background_top);
    else if (backdrop == 4) {                                                              // sky
        float cloud = smoothstep(0.48, 0.75, clouds(vec2(uv.x * 3.0 + backdrop_seed, uv.y * 5.0)));
        c = mix(c, vec3(0.85, 0.87, 0.9), cloud * 0.85);
    } else if (backdrop == 5) {                                                            // sunset
        vec3 high = vec3(0.10, 0.08, 0.25), low = vec3(0.95, 0.38, 0.10);
        c = mix(low, high, smoothstep(0.15, 0.95, uv.y));
        c = mix(c, vec3(0.9, 0.22, 0.18), smoothstep(0.5, 0.72, clouds(vec2(uv.x * 2.0 + backdrop_seed, uv.y * 9.0))) * 0.6);
        float land = 0.16 + 0.10 * clouds(vec2(uv.x * 3.0 + backdrop_seed, 2.0));
        c = mix(vec3(0.025, 0.015, 0.03), c, smoothstep(land - 0.01, land + 0.01, uv.y));
    } else if (backdrop == 6) {                                                            // forest, out of focus
        c = mix(vec3(0.02, 0.06, 0.02), vec3(0.13, 0.24, 0.07), clouds(uv * 3.0 + backdrop_seed));
        float trunk = smoothstep(0.62, 0.7, value_noise(vec2(uv.x * 9.0 + backdrop_seed, 1.0)));
        c = mix(c, vec3(0.03, 0.022, 0.015), trunk * 0.8);
        c += bokeh(uv * 6.0, vec3(0.16, 0.26, 0.05), vec3(0.3, 0.33, 0.12)) * smoothstep(0.2, 0.9, uv.y);
    } else if (backdrop == 7) {                                                            // city at night
        c = mix(vec3(0.012, 0.014, 0.035), vec3(0.03, 0.025, 0.07), uv.y);
        c += 1.1 * bokeh(uv * 5.5, vec3(0.9, 0.42, 0.10), vec3(0.12, 0.32, 0.85)) * smoothstep(0.95, 0.35, uv.y);
    } else if (backdrop == 8) {                                                            // bookshelf
        vec2 shelf = vec2(uv.x * 17.0, uv.y * 3.4 + 0.2), cell = floor(shelf);
        float pick = hash(cell + backdrop_seed), tall = 0.62 + 0.28 * hash(cell + 4.4);
        vec3 spine = mix(vec3(0.28, 0.06, 0.04), mix(vec3(0.05, 0.12, 0.16), vec3(0.38, 0.26, 0.10), step(0.66, pick)), step(0.33, pick));
        float inside = smoothstep(0.0, 0.09, fract(shelf.x)) * smoothstep(1.0, 0.91, fract(shelf.x));
        c = fract(shelf.y) < tall ? spine * (0.35 + 0.65 * inside) * (0.6 + 0.5 * hash(cell + 1.7)) : vec3(0.02, 0.013, 0.009);
        if (fract(shelf.y) > 0.93) c = vec3(0.16, 0.085, 0.04);
    } else if (backdrop == 9) {                                                            // living room: wall, window, plant-green floor line
        c = mix(vec3(0.30, 0.24, 0.18), vec3(0.44, 0.37, 0.29), uv.y);
        vec2 w = (uv - vec2(fract(backdrop_seed) < 0.5 ? 0.16 : 0.84, 0.66)) / vec2(0.19, 0.27);
        float pane = smoothstep(1.04, 0.96, max(abs(w.x), abs(w.y))) * smoothstep(0.03, 0.06, min(abs(w.x), abs(w.y)));
        c = mix(c, vec3(0.75, 0.85, 0.95), pane);
        c = mix(c, vec3(0.10, 0.055, 0.03), smoothstep(0.165, 0.155, uv.y));
    }
    return c;
}
