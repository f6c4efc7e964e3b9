// Cuts of a top in reference space: what is covered, and in which colour.
const int CLOTH = 6;
const int TEE = 0, TURTLENECK = 1, SHIRT = 2, SUIT = 3, HOODIE = 4;
const float BODY = 0.0, FLAP = 1.0, HOOD = 2.0, CORD = 3.0;
uniform float neckline; uniform float v_neck; uniform int cut; uniform bool is_striped;

// The upper edge: a round neck, deeper by v_neck in front.
float neckline_y(vec3 r) {
    if (cut == TURTLENECK) return 6.0 + 0.28 * (1.0 - smoothstep(-0.2, 0.6, r.z));
    if (cut == SHIRT || cut == SUIT) return 5.74 + 0.36 * (1.0 - smoothstep(-0.2, 0.6, r.z));
    float round_neck = neckline + 0.12 - 0.62 * smoothstep(-0.25, 0.62, r.z) + 0.62 * smoothstep(0.22, 1.0, abs(r.x));
    return round_neck - v_neck * max(0.0, 1.0 - abs(r.x) * 1.6) * smoothstep(0.1, 0.4, r.z);
}

// False where this layer shows nothing; else its colour, and how near its hem is (0..1).
bool cut_of(vec3 r, float layer, vec3 first, vec3 second, out vec3 c, out float edge) {
    c = first; edge = 0.0; layer = floor(layer + 0.5);
    float top = neckline_y(r), side = abs(r.x);
    if (layer >= HOOD) { if (layer == CORD) c = second; return true; }
    if (cut == SHIRT || cut == SUIT) {
        // How far down the front; the collar stands up to `top`, its flaps fall from there.
        float open = cut == SUIT ? 0.0 : 0.05 + 0.4 * v_neck;
        float front = smoothstep(0.0, 0.3, r.z);
        float slit = (top - r.y - 0.02) * 0.3 * open;
        if (r.y > top || (front > 0.5 && cut == SHIRT && side < open * (0.16 - 0.4 * (top - r.y)))) return false;
        if (layer == FLAP) {
            if (length(r.xz - vec2(0.0, 0.15)) > 0.78) return false;
            float reach = 0.16 + 0.30 * front * smoothstep(0.42, 0.12, side);
            c = cut == SUIT ? second : first * 1.04;
            edge = smoothstep(reach - 0.035, reach - 0.02, top - r.y);
            return top - r.y < reach && (front < 0.5 || side > 0.045 + 0.22 * max(0.0, top - r.y - 0.05));
        }
        if (cut == SHIRT) {
            c = is_striped && fract(r.x * 5.0) < 0.5 ? mix(first, second, 0.75) : first;
            if (front > 0.5 && side < 0.05) { edge = smoothstep(0.035, 0.045, side); }
            return true;
        }
        // Lapels: the jacket opens in a V over shirt and tie.
        float depth = top - r.y, v = 0.42 - 0.34 * depth, lapel = v + 0.28 * smoothstep(1.2, 0.3, depth);
        if (front < 0.5 || side > lapel) { edge = front > 0.5 ? smoothstep(0.02, 0.0, side - lapel) : 0.0; return depth > 0.10; }
        if (side > v) { c = first * 1.25 + 0.004; edge = smoothstep(0.02, 0.0, side - v); return depth > 0.07; }
        float knot = 0.075 + 0.05 * smoothstep(0.2, 0.8, depth) - 0.02 * smoothstep(0.1, 0.16, depth) * smoothstep(0.26, 0.2, depth);
        bool tie = side < knot && depth > 0.03;
        c = tie ? (is_striped && fract((r.x + r.y) * 5.0) < 0.4 ? vec3(0.75) : vec3(0.36, 0.025, 0.04)) : second;
        edge = tie ? smoothstep(knot - 0.02, knot, side) : 0.0;
        return true;
    }
    if (r.y > top) return false;
    edge = smoothstep(top - 0.085, top - 0.07, r.y);
    if (cut == TURTLENECK) edge = 0.5 * smoothstep(0.5, 0.9, sin(atan(r.x, r.z) * 70.0)) * smoothstep(5.2, 5.5, r.y);
    if (is_striped && fract(r.y * 4.0) >= 0.5) c = second;
    return true;
}
