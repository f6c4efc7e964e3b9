// Reads one pixel of what gbuffer.frag wrote, and the light of the scene. Every look starts from here.
const int SKIN = 0, EYE = 1, TEETH = 2, LASH = 4, HAIR = 5, CLOTH = 6, GLASSES = 7, HAT = 8, METAL = 10;
const float CAP_KIND = 0.0, CURL_KIND = 2.0, IRIS_RADIUS = 0.47;
in vec2 uv; out vec4 out_color;
uniform sampler2D albedo_map, normal_map, detail_map, truth_map; uniform sampler2DShadow shadow_map;
uniform mat4 shadow_projection;
uniform vec3 camera, camera_right, camera_up, camera_forward; uniform float focal, melanin; uniform vec3 skin_color, iris_color;
uniform float pixel, line_px;
uniform vec3 key_direction, key_color, fill_direction, fill_color, rim_direction, rim_color, sky_color, ground_color;

struct Surface {
    int part, material;
    float depth;
    vec3 position, view, albedo, normal;
    vec3 tangent; float kind, rank, along;      // hair: cap, strand or curl; brightness; place along the strand
    float lips, ear, inside, brow, beard;       // skin
    vec3 axes; float ring;                      // eye: direction from its centre, angle from its axis
    float grain, edge;
};

float saturate(float x) { return clamp(x, 0.0, 1.0); }

float hash(vec2 p) { return fract(sin(dot(p, vec2(12.98, 78.23))) * 43758.5); }

int material_of(int part) {
    if (part == 6 || part == 7) return EYE;
    if (part == 8) return TEETH;
    if (part == 10) return LASH;
    if (part == 11 || part == 12) return HAIR;
    if (part == 13) return CLOTH;
    if (part == 14) return GLASSES;
    if (part == 15) return METAL;
    if (part == 16) return HAT;
    return SKIN;
}

vec3 position_at(vec2 at, float depth) {
    vec3 ray = camera_forward + ((at.x * 2.0 - 1.0) * camera_right + (at.y * 2.0 - 1.0) * camera_up) / focal;
    return camera + ray * (depth / -ray.z);
}

// `part` 0 is the background; then nothing else is set.
Surface surface_here() {
    Surface s;
    vec2 truth = texture(truth_map, uv).xy;
    s.part = int(truth.x + 0.5); s.depth = truth.y;
    if (s.part == 0) return s;
    vec4 a = texture(albedo_map, uv), n = texture(normal_map, uv), d = texture(detail_map, uv);
    s.material = material_of(s.part);
    s.position = position_at(uv, s.depth); s.view = normalize(camera - s.position);
    s.albedo = a.rgb; s.normal = n.xyz;
    s.rank = s.grain = a.a; s.along = s.beard = s.ring = s.edge = n.w;
    s.tangent = s.axes = d.xyz; s.kind = d.w;
    s.lips = d.x; s.ear = d.y; s.inside = d.z; s.brow = d.w;
    return s;
}

const vec2 DISC[8] = vec2[8](
    vec2(-.33, -.84), vec2(.52, -.77), vec2(-.87, -.25), vec2(.93, -.12), vec2(-.25, .05), vec2(.35, .25),
    vec2(-.75, .6), vec2(.3, .9));

// Share of the key light that arrives, softened over `radius` texels of a 1024 px map.
float key_visible(Surface s, float bias, float radius) {
    vec3 q = (shadow_projection * vec4(s.position, 1.0)).xyz * 0.5 + 0.5;
    float turn = hash(uv * 517.0) * 6.283, sum = 0.0;
    mat2 turned = mat2(cos(turn), sin(turn), -sin(turn), cos(turn));
    for (int i = 0; i < 8; i++) sum += texture(shadow_map, vec3(q.xy + turned * DISC[i] * radius / 1024.0, q.z - bias));
    return sum / 8.0;
}

vec3 ambient(vec3 n) { return mix(ground_color, sky_color, n.y * 0.5 + 0.5); }

// Ambient occlusion from depth: 1 is open.
float openness(float depth) {
    float turn = hash(uv * 713.0) * 6.283, hidden = 0.0;
    for (int i = 0; i < 8; i++) {
        float radius = sqrt((float(i) + 0.5) / 8.0) * 0.30, angle = turn + float(i) * 2.399;
        vec2 near = texture(truth_map, uv + vec2(cos(angle), sin(angle)) * radius * focal * 0.5 / depth).xy;
        float step = depth - (near.x > 0.5 ? near.y : depth + 9.0);
        hidden += smoothstep(0.015 + 0.12 * radius, 0.12, step) * smoothstep(0.75, 0.25, step);
    }
    return 1.0 - 0.85 * hidden / 8.0;
}

// Cook-Torrance highlight with the GGX distribution (Walter et al. 2007), reflectance 4 %.
float highlight(vec3 n, vec3 light, vec3 view, float roughness) {
    vec3 h = normalize(light + view);
    float a = roughness * roughness, nh = saturate(dot(n, h)), d = nh * nh * (a * a - 1.0) + 1.0;
    float nl = saturate(dot(n, light)), nv = saturate(dot(n, view)) + 0.05;
    float k = (roughness + 1.0) * (roughness + 1.0) / 8.0;
    float masking = 1.0 / ((nl * (1.0 - k) + k) * (nv * (1.0 - k) + k) * 4.0);
    float fresnel = 0.04 + 0.96 * pow(1.0 - saturate(dot(h, view)), 5.0);
    return a * a / (3.14159 * d * d) * masking * fresnel * nl;
}

// Narkowicz' fit of the ACES film curve (2015), then gamma.
vec3 tone_curve(vec3 x) { return clamp(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0.0, 1.0); }
vec3 developed(vec3 c) { return pow(tone_curve(c * 0.78), vec3(1.0 / 2.2)); }
