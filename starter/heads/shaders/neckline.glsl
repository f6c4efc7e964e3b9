// The upper edge of the top in reference space: a round neck, deeper by v_neck in front.
const int CLOTH = 6;
uniform float neckline; uniform float v_neck;

float neckline_y(vec3 r) {
    float round_neck = neckline + 0.12 - 0.62 * smoothstep(-0.25, 0.62, r.z) + 0.62 * smoothstep(0.22, 1.0, abs(r.x));
    return round_neck - v_neck * max(0.0, 1.0 - abs(r.x) * 1.6) * smoothstep(0.1, 0.4, r.z);
}
