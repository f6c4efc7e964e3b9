// Flat colours in two tones with a crisp border; finish_toon.frag draws the outlines.
// Colours leave as seen on the screen (gamma 2.2 applied), not linear.
vec3 screen(vec3 linear) { return pow(clamp(linear, 0.0, 1.0), vec3(1.0 / 2.2)); }

vec3 vivid(vec3 c, float amount) {
    float grey = dot(c, vec3(0.3, 0.59, 0.11));
    return clamp(mix(vec3(grey), c, amount), 0.0, 1.0);
}

float step_up(float edge, float x) { return smoothstep(edge - 0.025, edge + 0.025, x); }

// 1 in the light, 0 in the shade.
float tone(vec3 n, float bias, float edge) {
    return step_up(edge, (dot(n, key_direction) * 0.5 + 0.5) * mix(0.45, 1.0, key_visible(bias, 2.0)));
}

vec3 toon_skin(Surface s) {
    vec3 base = vivid(screen(s.albedo * mix(1.7, 1.35, melanin)), mix(1.1, 1.5, melanin));
    if (data.w > 0.3) return vec3(0.36, 0.10, 0.11);
    vec3 shade = base * vec3(0.80, 0.66, 0.66);
    // What looks down is in the shade whatever the light: it draws the nose, the lower lip and the chin.
    float looks_down = step_up(mix(0.52, 0.2, s.lips), -s.normal.y);
    return mix(shade, base, tone(s.normal, 0.012, 0.40) * (1.0 - looks_down));
}

vec3 toon_eye(Surface s, vec3 view) {
    float under_lid = step_up(0.30, 1.0 - s.normal.y * 1.25);
    vec3 white = mix(vec3(0.80, 0.82, 0.88), vec3(0.98), under_lid);
    vec3 iris = vivid(screen(iris_color * 1.7), 1.45);
    iris = mix(iris * 0.72, iris, step_up(0.5, 0.5 - data.y * 3.0));
    vec3 c = mix(iris, vec3(0.07, 0.05, 0.06), step_up(IRIS_RADIUS - 0.06, s.ring));
    c = mix(c, white, step_up(IRIS_RADIUS + 0.01, s.ring));
    c = mix(vec3(0.04, 0.03, 0.05), c, step_up(0.21, s.ring));
    float spark = dot(reflect(-view, s.normal), normalize(key_direction + vec3(0, 0.25, 0.6)));
    return mix(c, vec3(1.0), step_up(0.965, spark));
}

vec3 toon_hair(Surface s, vec3 view) {
    vec3 base = vivid(screen(max(s.albedo * 1.3 - 0.014, 0.004)), 1.3);
    base *= s.kind > 0.5 ? 0.93 + 0.14 * step(0.5, s.rank) : 0.86;
    float lit = tone(s.normal, 0.014, 0.36);
    float across = dot(s.tangent, normalize(key_direction + view));
    float band = s.kind > 1.5 ? 0.0 : step_up(0.985, sqrt(max(0.0, 1.0 - across * across))) * lit;
    vec3 c = mix(base * vec3(0.62, 0.58, 0.68), base, lit);
    return mix(c, min(base * 1.28 + 0.07, 1.0), band * step(0.35, s.along));
}

void main() {
    vec3 view = normalize(camera - position);
    Surface s = surface_here(view);
    vec3 c;
    if (material == SKIN) c = toon_skin(s);
    else if (material == EYE) c = toon_eye(s, view);
    else if (material == HAIR || material == BEARD) c = toon_hair(s, view);
    else if (material == CLOTH) {
        vec3 base = vivid(screen(s.albedo * 1.25), 1.35);
        c = mix(base * vec3(0.70, 0.66, 0.76), base, tone(s.normal, 0.016, 0.40));
    }
    else if (material == TEETH) c = mix(vec3(0.50, 0.44, 0.44), vec3(0.96, 0.95, 0.92), step_up(0.2, key_visible(0.008, 5.0)));
    else if (material == TONGUE) c = vec3(0.45, 0.15, 0.17);
    else if (material == LASH) c = vec3(0.05, 0.03, 0.04);
    else c = vivid(screen(s.albedo), 1.3);
    out_color = vec4(c, 1.0);
    out_truth = vec4(float(s.part), camera.z - position.z, 0.0, 1.0);
}
