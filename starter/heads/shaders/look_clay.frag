// Unpainted clay: shape, light and nothing else.
void main() {
    Surface s = surface_here();
    if (s.part == 0) { out_color = vec4(developed(background()), 1.0); return; }
    vec3 n = s.normal;
    // Eyes keep a trace of their drawing; a blank ball reads as blindness.
    float drawn = s.material == EYE ? mix(0.55, 1.0, smoothstep(0.15, 0.5, s.ring)) : 1.0;
    if (s.part == 3) drawn = 0.8;
    vec3 light = key_color * saturate(dot(n, key_direction) * 0.85 + 0.15) * mix(0.2, 1.0, key_visible(s, 0.008, 3.5));
    light += fill_color * saturate(dot(n, fill_direction) * 0.7 + 0.3) + ambient(n);
    vec3 c = vec3(0.27, 0.22, 0.18) * drawn * light;
    c += rim_color * pow(1.0 - saturate(dot(n, s.view)), 3.0) * saturate(dot(n, rim_direction) + 0.2) * 0.12;
    out_color = vec4(developed(c * openness(s.depth)), 1.0);
}
