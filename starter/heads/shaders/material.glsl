// What is at this fragment: colour, normal and part, without any light. Every look starts from here.
const int SKIN = 0, EYE = 1, TEETH = 2, TONGUE = 3, LASH = 4, HAIR = 5, GLASSES = 7, BEARD = 9;  // CLOTH = 6
const float CAP_KIND = 0.0, CURL_KIND = 2.0;
const float IRIS_RADIUS = 0.47;
in vec3 position; in vec3 normal; in vec3 reference; in vec4 data; in vec4 in_shadow; flat in int material;
layout(location = 0) out vec4 out_color;
layout(location = 1) out vec4 out_truth;  // part number, distance from the camera plane
uniform sampler2D paint_map; uniform sampler2D noise_map; uniform sampler2DShadow shadow_map;
uniform vec3 camera;
uniform vec3 skin_color, hair_color, brow_color, iris_color, cloth_color, frame_color;
uniform float redness, melanin, lip_color, lip_hue, makeup, grain;
uniform bool is_striped;
uniform float map_half_angle, map_bottom, map_top, map_axis_z;

struct Surface {
    vec3 albedo; vec3 normal; vec3 tangent;
    float lips, ear, inside, beard, brow;   // skin
    float kind, rank, along;                // hair: cap, strand or curl; brightness; place along the strand
    float ring;                             // eye: angle from its axis
    int part;
};

float saturate(float x) { return clamp(x, 0.0, 1.0); }

vec3 facing(vec3 n, vec3 view) { return dot(n, view) < 0.0 ? -n : n; }

Surface skin_surface(vec3 n) {
    Surface s; s.normal = n;
    s.lips = smoothstep(0.25, 0.75, data.x); s.ear = data.z; s.inside = smoothstep(0.4, 0.6, data.w);
    float lid = data.y;
    float angle = atan(reference.x, reference.z - map_axis_z);
    vec2 uv = vec2(0.5 + angle / (2.0 * map_half_angle), 1.0 - (reference.y - map_bottom) / (map_top - map_bottom));
    bool painted = abs(angle) < map_half_angle && uv.y > 0.0 && uv.y < 1.0 && reference.z > map_axis_z - 0.6;
    vec4 paint = painted ? texture(paint_map, uv) : vec4(0.0);  // brows, beard, marks, blush
    s.beard = paint.g; s.brow = paint.r;
    vec2 noise_uv = vec2(angle * 0.16 + 0.25, (reference.y - 6.0) * 0.13 + 0.02);
    vec3 c = skin_color;
    c *= 1.0 + grain * (0.035 * texture(noise_map, noise_uv * 2.0).x + 0.02 * texture(noise_map, noise_uv * 7.0).y);
    vec3 blush = mix(vec3(1.13, 0.78, 0.74), vec3(1.05, 0.86, 0.84), melanin);
    c *= mix(vec3(1.0), blush, saturate(paint.a * 1.2 * (0.35 + 0.55 * redness) + s.ear * 0.45 + lid * 0.25));
    vec3 bare_lips = skin_color * mix(vec3(0.86, 0.52, 0.52), vec3(0.9, 0.66, 0.62), melanin);
    vec3 lipstick = mix(vec3(0.52, 0.10, 0.12), vec3(0.55, 0.18, 0.25), lip_hue) * mix(1.0, 0.7, melanin);
    c = mix(c, mix(bare_lips, lipstick, saturate(lip_color * 0.9 - 0.1)), s.lips * 0.9);
    c = mix(c, c * mix(vec3(0.42, 0.30, 0.34), vec3(0.35, 0.28, 0.42), lip_hue), saturate(lid * makeup * 1.1));
    c = mix(c, c * vec3(0.5, 0.36, 0.28), paint.b * 0.85);
    c = mix(c, mix(brow_color, c * vec3(0.4, 0.38, 0.4), 0.25), s.beard * 0.75 * (1.0 - s.lips));
    c = mix(c, brow_color * 0.8, saturate(s.brow * 1.45) * 0.95);
    s.albedo = mix(c, vec3(0.22, 0.06, 0.05), s.inside);
    s.normal = normalize(n + grain * 0.025 * vec3(texture(noise_map, noise_uv * 9.0).y,
                                                  texture(noise_map, noise_uv * 9.0 + 0.37).y, 0.0));
    bool is_neck = reference.y < 6.02 && reference.z < 1.1;
    s.part = s.inside > 0.5 ? 9 : s.lips > 0.5 ? 2 : s.brow > 0.45 ? 3 : s.ear > 0.5 ? 4 : is_neck ? 5 : 1;
    return s;
}

Surface eye_surface(vec3 n) {
    Surface s; s.normal = n;
    vec3 d = normalize(data.xyz);
    float r = acos(clamp(d.z, -1.0, 1.0)), around = atan(d.y, d.x);
    vec3 white = vec3(0.80, 0.78, 0.76) * (1.0 - 0.10 * smoothstep(0.6, 1.2, r));
    white += vec3(0.03, -0.02, -0.02) * smoothstep(0.6, 1.1, r);
    float fibres = texture(noise_map, vec2(around * 0.35, r * 0.25)).x * 0.5
                 + texture(noise_map, vec2(around * 1.1, 0.2)).y * 0.5;
    vec3 iris = iris_color * (1.05 + grain * 0.22 * fibres);
    iris *= mix(0.85, 1.5, smoothstep(IRIS_RADIUS, 0.2, r) * 0.55);
    iris += iris_color * 0.9 * saturate(-d.y * 1.8 + 0.1) * smoothstep(0.2, 0.35, r) * smoothstep(IRIS_RADIUS, 0.4, r);
    iris *= mix(1.0, 0.28, smoothstep(IRIS_RADIUS - 0.13, IRIS_RADIUS, r));
    s.albedo = mix(iris, white, smoothstep(IRIS_RADIUS - 0.03, IRIS_RADIUS + 0.04, r));
    s.albedo *= smoothstep(0.17, 0.215, r) * 0.985 + 0.015;
    s.ring = r;
    s.part = r < IRIS_RADIUS ? 7 : 6;
    return s;
}

// Single lashes are cut out of a strip; lower ones (data.z = 0) and men's (data.w = 0) are shorter.
void cut_lashes() {
    bool upper = data.z > 0.5;
    float across = abs(fract(data.x * (upper ? 9.0 : 7.0) + 0.25 * data.y * data.x) - 0.5) * 2.0;
    float width = upper ? mix(0.95, 0.1, smoothstep(0.1, 0.8, data.y)) : mix(0.5, 0.0, smoothstep(0.05, 0.5, data.y));
    float reach = mix(0.55, 0.95, data.w) * (upper ? 1.0 : 0.5);
    if (data.y > reach || across > width * mix(0.75, 1.0, data.w)) discard;
}

Surface hair_surface(vec3 n, vec3 view) {
    Surface s; s.normal = facing(n, view);
    bool is_beard = material == BEARD;
    s.tangent = normalize(data.xyz + 1e-5);
    s.kind = reference.z; s.rank = reference.y; s.along = data.w;
    if (s.kind < 0.5) {
        float streak = texture(noise_map, vec2(atan(position.x, position.z - 0.3) * 1.2, position.y * 0.10)).y;
        if (reference.x + 0.02 * streak < 0.0) discard;
        s.rank = 0.5 + 0.18 * streak * grain; s.along = 0.05;
    }
    s.albedo = is_beard ? brow_color : hair_color;
    s.part = is_beard ? 12 : 11;
    return s;
}

Surface cloth_surface(vec3 n, vec3 view) {
    Surface s;
    float top = neckline_y(reference);
    if (reference.y > top) discard;
    vec2 weave = texture(noise_map, vec2(reference.x * 0.5 + reference.z * 0.3, reference.y * 0.5)).xy * grain;
    s.normal = normalize(facing(n, view) + 0.06 * vec3(weave, 0.0));
    s.albedo = cloth_color * (1.0 + 0.05 * weave.y) * mix(1.0, 0.72, smoothstep(top - 0.085, top - 0.07, reference.y));
    if (is_striped) s.albedo = mix(s.albedo, cloth_color * 0.35 + 0.3, step(0.5, fract(reference.y * 4.0)));
    s.part = 13;
    return s;
}

Surface surface_here(vec3 view) {
    vec3 n = normalize(normal);
    if (material == SKIN) return skin_surface(n);
    if (material == EYE) return eye_surface(n);
    if (material == HAIR || material == BEARD) return hair_surface(n, view);
    if (material == CLOTH) return cloth_surface(n, view);
    Surface s; s.normal = facing(n, view);
    if (material == TEETH) { s.albedo = vec3(0.72, 0.68, 0.6); s.part = 8; }
    else if (material == TONGUE) { s.albedo = vec3(0.42, 0.13, 0.12); s.part = 9; }
    else if (material == LASH) { cut_lashes(); s.albedo = vec3(0.012, 0.009, 0.008); s.part = 10; }
    else { s.albedo = frame_color; s.part = 14; }
    return s;
}
