// A black and white film: hard side light, deep shadows, a window blind on the wall.
void main() {
    Surface s = surface_here();
    float value;
    if (s.part == 0) {
        float slat = smoothstep(0.35, 0.5, abs(fract((uv.y + 0.35 * uv.x) * 8.0) - 0.5) * 1.6);
        value = mix(0.03, 0.30, slat * smoothstep(0.1, 0.6, uv.x) * smoothstep(1.15, 0.6, uv.x) * smoothstep(0.0, 0.5, uv.y));
    } else {
        float lit_value = grey(lit_and_occluded(s)) * 0.6;
        float hard = saturate(dot(s.normal, key_direction)) * key_visible(s, 0.008, 2.0);
        value = lit_value * mix(0.12, 1.55, smoothstep(0.05, 0.45, hard));
        value += 0.25 * pow(1.0 - saturate(dot(s.normal, s.view)), 3.0) * saturate(dot(s.normal, rim_direction) + 0.2);
        if (s.material == EYE) value = lit_value * 1.2;
        value = grey(developed(vec3(value * 1.25)));
        value = smoothstep(0.02, 0.98, value);
    }
    value += (hash(uv * 431.0) - 0.5) * 0.05;
    value *= 1.0 - 0.45 * dot(uv - 0.5, uv - 0.5) * 2.0;
    out_color = vec4(vec3(value) * vec3(1.0, 0.995, 0.98), 1.0);
}
