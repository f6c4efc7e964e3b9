// A marble bust: polished stone with grey veins.
void main() {
    Surface s = surface_here();
    if (s.part == 0) { out_color = vec4(developed(mix(vec3(0.10, 0.10, 0.12), vec3(0.30, 0.30, 0.33), smoothstep(0.8, 0.1, length(uv - vec2(0.5, 0.6))))), 1.0); return; }
    vec3 n = s.normal;
    vec3 p = s.position * 1.6;
    float vein = abs(fibre(vec2(p.x + 0.6 * fibre(p.yz * 2.0), p.y + 0.5 * p.z) * 2.2) - 0.5) * 2.0;
    vec3 stone = mix(vec3(0.54, 0.54, 0.56), vec3(0.70, 0.685, 0.66), smoothstep(0.0, 0.30, vein));
    float carved = s.material == EYE ? mix(0.5, 1.0, smoothstep(0.12, 0.3, abs(s.ring - 0.2))) : 1.0;
    if (s.part == 3) carved = 0.82;
    if (s.material == LASH) carved = 0.6;
    vec3 wrap = vec3(0.40, 0.36, 0.34);
    vec3 light = key_color * clamp((dot(n, key_direction) + wrap) / (1.0 + wrap) / (1.0 + wrap), 0.0, 1.0) * mix(0.25, 1.0, key_visible(s, 0.008, 3.5));
    light += fill_color * 0.5 * saturate(dot(n, fill_direction) * 0.7 + 0.3) + ambient(n) * 0.8;
    vec3 c = stone * carved * light * 0.85 + key_color * highlight(n, key_direction, s.view, 0.22) * 0.9;
    c += 0.10 * pow(1.0 - saturate(dot(n, s.view)), 3.0);
    out_color = vec4(developed(c * openness(s.depth)), 1.0);
}
