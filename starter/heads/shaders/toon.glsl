// Flat colours in two tones with a crisp border, as seen on the screen (gamma applied); and outlines.
vec3 screen(vec3 linear) { return pow(clamp(linear, 0.0, 1.0), vec3(1.0 / 2.2)); }

vec3 vivid(vec3 c, float amount) {
    float grey = dot(c, vec3(0.3, 0.59, 0.11));
    return clamp(mix(vec3(grey), c, amount), 0.0, 1.0);
}

float step_up(float edge, float x) { return smoothstep(edge - 0.025, edge + 0.025, x); }

// 1 in the light, 0 in the shade.
float tone(Surface s, float bias, float edge) {
    return step_up(edge, (dot(s.normal, key_direction) * 0.5 + 0.5) * mix(0.45, 1.0, key_visible(s, bias, 2.0)));
}

vec3 toon_skin(Surface s) {
    vec3 base = vivid(screen(s.albedo * mix(1.7, 1.35, melanin)), mix(1.1, 1.5, melanin));
    if (s.inside > 0.5) return vec3(0.36, 0.10, 0.11);
    vec3 shade = base * vec3(0.80, 0.66, 0.66);
    // What looks down is in the shade whatever the light: it draws the nose, the lower lip and the chin.
    float looks_down = step_up(mix(0.52, 0.2, s.lips), -s.normal.y);
    return mix(shade, base, tone(s, 0.012, 0.40) * (1.0 - looks_down));
}

vec3 toon_eye(Surface s) {
    float under_lid = step_up(0.30, 1.0 - s.normal.y * 1.25);
    vec3 white = mix(vec3(0.80, 0.82, 0.88), vec3(0.98), under_lid);
    vec3 iris = vivid(screen(iris_color * 1.7), 1.45);
    iris = mix(iris * 0.72, iris, step_up(0.5, 0.5 - s.axes.y * 3.0));
    vec3 c = mix(iris, vec3(0.07, 0.05, 0.06), step_up(IRIS_RADIUS - 0.06, s.ring));
    c = mix(c, white, step_up(IRIS_RADIUS + 0.01, s.ring));
    c = mix(vec3(0.04, 0.03, 0.05), c, step_up(0.21, s.ring));
    float spark = dot(reflect(-s.view, s.normal), normalize(key_direction + vec3(0, 0.25, 0.6)));
    return mix(c, vec3(1.0), step_up(0.965, spark));
}

vec3 toon_hair(Surface s) {
    vec3 base = vivid(screen(max(s.albedo * 1.3 - 0.014, 0.004)), 1.3);
    base *= s.kind > 0.5 ? 0.93 + 0.14 * step(0.5, s.rank) : 0.86;
    float lit = tone(s, 0.014, 0.36);
    float across = dot(s.tangent, normalize(key_direction + s.view));
    float band = s.kind > 1.5 ? 0.0 : step_up(0.985, sqrt(max(0.0, 1.0 - across * across))) * lit;
    vec3 c = mix(base * vec3(0.62, 0.58, 0.68), base, lit);
    return mix(c, min(base * 1.28 + 0.07, 1.0), band * step(0.35, s.along));
}

vec3 toon(Surface s) {
    if (s.material == SKIN) return toon_skin(s);
    if (s.material == EYE) return toon_eye(s);
    if (s.material == HAIR) return toon_hair(s);
    if (s.material == TEETH) return mix(vec3(0.50, 0.44, 0.44), vec3(0.96, 0.95, 0.92), step_up(0.2, key_visible(s, 0.008, 5.0)));
    if (s.material == LASH) return vec3(0.05, 0.03, 0.04);
    if (s.material == CLOTH || s.material == HAT) {
        vec3 base = vivid(screen(s.albedo * 1.25), 1.35);
        return mix(base * vec3(0.70, 0.66, 0.76), base, tone(s, 0.016, 0.40));
    }
    vec3 base = vivid(screen(s.albedo), 1.3);
    return s.kind > 0.5 && s.material == GLASSES ? base + 0.25 * step_up(0.35, reflect(-s.view, s.normal).y) : base;
}

const float HAIR_PART = 11.0, BEARD_PART = 12.0;

float gap(vec2 a, vec2 b) {
    if ((a.x < 0.5) != (b.x < 0.5)) return 1.0;
    if (a.x < 0.5) return 0.0;
    float lo = min(a.x, b.x), hi = max(a.x, b.x), jump = abs(a.y - b.y);
    bool same_skin = hi < 5.5 && (lo == 1.0 || lo == 4.0 || lo == 5.0) && (hi == 4.0 || hi == 5.0);
    bool is_hairy = a.x == HAIR_PART && b.x == HAIR_PART || a.x == BEARD_PART && b.x == BEARD_PART;
    if (is_hairy) return smoothstep(0.10, 0.22, jump) * 0.55;
    if (a.x == b.x || same_skin) return smoothstep(0.07, 0.13, jump);
    if (hi <= 3.0) return lo == 1.0 && hi == 2.0 ? 0.45 : 0.0;       // lips softly, painted brows not
    if (lo == 6.0 && hi == 7.0) return 0.0;                          // the iris has its own ring
    if (hi == 10.0 || lo >= 7.0 && hi <= 9.0) return 0.0;            // lashes are lines themselves; teeth, mouth
    return 1.0;
}

// The line between closed lips: a valley in depth, not a jump.
float crease(vec2 a, vec2 here, vec2 b) {
    bool mouth = a.x == 2.0 && b.x == 2.0 && (here.x == 2.0 || here.x == 9.0);
    return mouth ? smoothstep(0.006, 0.014, here.y - 0.5 * (a.y + b.y)) * 0.8 : 0.0;
}

// Where the part changes or the depth jumps, within `line_px` drawn pixels: 0..1.
float outline() {
    vec2 here = texture(truth_map, uv).xy;
    float line = 0.0;
    for (int i = 0; i < 4; i++) {
        vec2 d = vec2(cos(float(i) * 0.7854), sin(float(i) * 0.7854)) * pixel * line_px * 0.5;
        vec2 a = texture(truth_map, uv + d).xy, b = texture(truth_map, uv - d).xy;
        line = max(line, max(gap(a, b), crease(a, here, b)));
    }
    return line;
}
