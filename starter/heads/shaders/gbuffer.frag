// What is at this pixel: colour, normal and part, without any light. Every look reads what is written here.
// Compiled twice: with CUT for materials whose edge is cut by `discard`, without for all others (early depth test).
const int SKIN = 0, EYE = 1, TEETH = 2, TONGUE = 3, LASH = 4, HAIR = 5, GLASSES = 7, HAT = 8, BEARD = 9, METAL = 10;
const float CAP_KIND = 0.0;
const float IRIS_RADIUS = 0.47;
in vec3 position; in vec3 normal; in vec3 reference; in vec4 data; flat in int material;
layout(location = 0) out vec4 out_albedo;   // rgb; strand brightness (hair), grain (others)
layout(location = 1) out vec4 out_normal;   // xyz; place along the strand (hair), beard (skin), angle from the axis (eye)
layout(location = 2) out vec4 out_detail;   // tangent and kind (hair); lips, ear, inside, brow (skin); own axes (eye)
layout(location = 3) out vec2 out_truth;    // part number, distance from the camera plane
uniform sampler2D paint_map; uniform sampler2D relief_map; uniform sampler2D noise_map;
uniform vec3 camera;
uniform vec3 skin_color, hair_color, hair_tips, brow_color, iris_color, cloth_color, cloth_second, frame_color;
uniform vec3 lens_color, hat_color, hat_second, metal_color, lipstick, eyeshadow;
uniform float redness, melanin, lip_color, makeup, pores, scalp_cover;
uniform int hat_pattern;
uniform float map_half_angle, map_bottom, map_top, map_axis_z;

vec2 noise_at(vec2 at) { return (texture(noise_map, at).xy * 2.0 - 1.0) * 3.2; }  // deviations, as in noise.py

float saturate(float x) { return clamp(x, 0.0, 1.0); }

vec3 facing(vec3 n, vec3 view) { return dot(n, view) < 0.0 ? -n : n; }

void put(vec3 albedo, float first, vec3 n, float second, vec4 detail, int part) {
    out_albedo = vec4(albedo, first); out_normal = vec4(n, second); out_detail = detail;
    out_truth = vec2(float(part), camera.z - position.z);
}

#ifndef CUT
void put_skin(vec3 n) {
    float lips = smoothstep(0.25, 0.75, data.x), ear = data.z, inside = smoothstep(0.4, 0.6, data.w), lid = data.y;
    float angle = atan(reference.x, reference.z - map_axis_z);
    vec2 uv = vec2(0.5 + angle / (2.0 * map_half_angle), 1.0 - (reference.y - map_bottom) / (map_top - map_bottom));
    bool painted = abs(angle) < map_half_angle && uv.y > 0.0 && uv.y < 1.0 && reference.z > map_axis_z - 0.6;
    vec4 paint = painted ? texture(paint_map, uv) : vec4(0.0);                    // brows, beard, marks, blush
    vec4 relief = painted ? texture(relief_map, uv) : vec4(0.5, 0.5, 0.0, 0.0);   // slope, crease, eyeshadow
    vec2 noise_uv = vec2(angle * 0.16 + 0.25, (reference.y - 6.0) * 0.13 + 0.02);
    vec2 coarse = noise_at(noise_uv * 2.0).xy, fine = noise_at(noise_uv * 7.0).xy;
    vec3 c = skin_color;
    vec3 blush = mix(vec3(1.13, 0.78, 0.74), vec3(1.05, 0.86, 0.84), melanin);
    c *= mix(vec3(1.0), blush, saturate(paint.a * 1.2 * (0.35 + 0.55 * redness) + ear * 0.45 + lid * 0.25));
    c *= mix(vec3(1.0), vec3(0.66, 0.52, 0.50), saturate(relief.z * 1.1));
    vec3 bare_lips = skin_color * mix(vec3(0.86, 0.54, 0.53), vec3(0.9, 0.66, 0.62), melanin);
    c = mix(c, mix(bare_lips, lipstick * mix(1.0, 0.7, melanin), saturate(lip_color * 0.9 - 0.1)), lips * 0.9);
    c = mix(c, eyeshadow * mix(0.9, 0.55, melanin), saturate(max(relief.w, lid * 0.6) * makeup));
    c = mix(c, c * vec3(0.5, 0.36, 0.28), paint.b * 0.85);
    c = mix(c, mix(brow_color, c * vec3(0.4, 0.38, 0.4), 0.25), paint.g * 0.75 * (1.0 - lips));
    c = mix(c, brow_color * 0.85, saturate(paint.r * 1.2) * 0.9);
    vec2 slope = (relief.xy - 0.5) * 2.0;
    vec3 across = normalize(cross(vec3(0.0, 1.0, 0.0), n) + 1e-4), up = cross(n, across);
    vec3 bumped = normalize(n - 0.9 * (slope.x * across + slope.y * up));
    bool is_neck = reference.y < 6.02 && reference.z < 1.1;
    int part = inside > 0.5 ? 9 : lips > 0.5 ? 2 : paint.r > 0.42 ? 3 : ear > 0.5 ? 4 : is_neck ? 5 : 1;
    float grain = 0.035 * coarse.x + (0.02 + 0.035 * pores) * fine.y;
    put(mix(c, vec3(0.22, 0.06, 0.05), inside), grain, bumped, paint.g, vec4(lips, ear, inside, saturate(paint.r)), part);
}

void put_eye(vec3 n) {
    vec3 d = normalize(data.xyz);
    float r = acos(clamp(d.z, -1.0, 1.0)), around = atan(d.y, d.x);
    vec3 white = vec3(0.80, 0.78, 0.76) * (1.0 - 0.10 * smoothstep(0.6, 1.2, r));
    white += vec3(0.03, -0.02, -0.02) * smoothstep(0.6, 1.1, r);
    float fibres = noise_at(vec2(around * 0.35, r * 0.25)).x * 0.5
                 + noise_at(vec2(around * 1.1, 0.2)).y * 0.5;
    vec3 iris = iris_color * (1.05 + 0.22 * fibres);
    iris *= mix(0.85, 1.5, smoothstep(IRIS_RADIUS, 0.2, r) * 0.55);
    iris += iris_color * 0.9 * saturate(-d.y * 1.8 + 0.1) * smoothstep(0.2, 0.35, r) * smoothstep(IRIS_RADIUS, 0.4, r);
    iris *= mix(1.0, 0.28, smoothstep(IRIS_RADIUS - 0.13, IRIS_RADIUS, r));
    vec3 c = mix(iris, white, smoothstep(IRIS_RADIUS - 0.03, IRIS_RADIUS + 0.04, r));
    c *= smoothstep(0.17, 0.215, r) * 0.985 + 0.015;
    put(c, 0.0, n, r, vec4(data.xyz, 0.0), r < IRIS_RADIUS ? 7 : 6);
}

void put_strand(vec3 n, vec3 view) {
    bool is_beard = material == BEARD;
    vec3 c = is_beard ? brow_color : mix(hair_color, hair_tips, smoothstep(0.35, 0.9, data.w));
    put(c, reference.y, facing(n, view), data.w, vec4(normalize(data.xyz + 1e-5), reference.z), is_beard ? 12 : 11);
}

void main() {
    vec3 view = normalize(camera - position), n = normalize(normal);
    if (material == SKIN) put_skin(n);
    else if (material == EYE) put_eye(n);
    else if (material == HAIR || material == BEARD) put_strand(n, view);
    else if (material == TEETH) put(vec3(0.72, 0.68, 0.6), 0.0, facing(n, view), 0.0, vec4(0.0), 8);
    else if (material == TONGUE) put(vec3(0.42, 0.13, 0.12), 0.0, facing(n, view), 0.0, vec4(0.0, 0.0, 1.0, 0.0), 9);
    else if (material == METAL) put(metal_color, 0.0, facing(n, view), 0.0, vec4(0.0), 15);
    else put(data.x > 0.5 ? lens_color : frame_color, 0.0, facing(n, view), 0.0, vec4(data.x), 14);
}
#else
// Single lashes are cut out of a strip; lower ones (data.z = 0) and men's (data.w = 0) are shorter.
void put_lash(vec3 n, vec3 view) {
    bool upper = data.z > 0.5;
    float across = abs(fract(data.x * (upper ? 9.0 : 7.0) + 0.25 * data.y * data.x) - 0.5) * 2.0;
    float width = upper ? mix(0.95, 0.1, smoothstep(0.1, 0.8, data.y)) : mix(0.5, 0.0, smoothstep(0.05, 0.5, data.y));
    float reach = mix(0.55, 0.95, data.w) * (upper ? 1.0 : 0.5);
    if (data.y > reach || across > width * mix(0.75, 1.0, data.w)) discard;
    put(vec3(0.012, 0.009, 0.008), 0.0, facing(n, view), 0.0, vec4(0.0), 10);
}

void put_cap(vec3 n, vec3 view) {
    float streak = noise_at(vec2(atan(position.x, position.z - 0.3) * 1.2, position.y * 0.10)).y;
    float hairs = noise_at(vec2(atan(position.x, position.z - 0.3) * 2.1, position.y * 0.05 + 0.3)).y;
    if (reference.x + 0.02 * streak + 0.022 * hairs - 0.01 < 0.0) discard;
    vec3 c = mix(skin_color, hair_color, mix(scalp_cover < 1.0 ? 0.5 : 0.85, 1.0, smoothstep(-0.01, 0.07, reference.x)) * scalp_cover);
    put(c, 0.5 + 0.18 * streak, facing(n, view), 0.05, vec4(normalize(data.xyz + 1e-5), CAP_KIND), 11);
}

void put_cloth(vec3 n, vec3 view) {
    vec3 c; float edge;
    if (!cut_of(reference, data.x, cloth_color, cloth_second, c, edge)) discard;
    vec2 weave = noise_at(vec2(reference.x * 0.5 + reference.z * 0.3, reference.y * 0.5)).xy;
    put(c, 0.05 * weave.y, normalize(facing(n, view) + 0.05 * vec3(weave, 0.0)), edge, vec4(0.0), 13);
}

// data: angle around the hat (turns), height (0 at the rim), which piece; reference.x: distance from a cut edge.
void put_hat(vec3 n, vec3 view) {
    if (reference.x < 0.0) discard;
    vec3 c = data.z > 0.5 ? hat_second : hat_color;
    float grain = 0.03 * noise_at(vec2(data.x * 2.0, data.y * 0.7)).y, bump = 0.0;
    vec3 across = normalize(cross(vec3(0.0, 1.0, 0.0), n) + 1e-4);
    if (hat_pattern == 1) {                       // ribbed knit
        float rib = data.x * 6.2832 * 26.0;
        bump = 0.34 * cos(rib); grain += 0.11 * sin(rib) - 0.05 + 0.03 * sin(data.y * 90.0);
    } else if (hat_pattern == 2) {                // panels with seams
        float seam = abs(fract(data.x * 6.0) - 0.5);
        grain -= data.z < 0.5 ? 0.22 * smoothstep(0.03, 0.0, seam) : 0.0;
    } else if (hat_pattern == 3) {                // straw or felt
        grain += 0.05 * noise_at(vec2(data.x * 6.0, data.y * 3.0)).y;
    } else if (hat_pattern == 4) {                // folds of a scarf
        vec2 fold = noise_at(vec2(reference.y * 0.035 + 0.2, reference.z * 0.02)).xy;
        bump = 0.16 * fold.x; grain += 0.05 * fold.x;
    }
    vec3 bent = normalize(facing(n, view) + bump * across);
    put(c, grain, bent, 0.0, vec4(0.0), 16);
}

void main() {
    vec3 view = normalize(camera - position), n = normalize(normal);
    if (material == LASH) put_lash(n, view);
    else if (material == HAIR) put_cap(n, view);
    else if (material == HAT) put_hat(n, view);
    else put_cloth(n, view);
}
#endif
