// A bronze bust: dark metal that mirrors a studio, green patina in the hollows.
void main() {
    Surface s = surface_here();
    if (s.part == 0) { out_color = vec4(developed(mix(vec3(0.02, 0.018, 0.016), vec3(0.20, 0.17, 0.14), smoothstep(0.8, 0.1, length(uv - vec2(0.5, 0.6))))), 1.0); return; }
    vec3 n = s.normal, mirrored = reflect(-s.view, n);
    float open = openness(s.depth), carved = s.material == EYE ? mix(0.4, 1.0, smoothstep(0.10, 0.28, abs(s.ring - 0.2))) : s.part == 3 ? 0.7 : 1.0;
    vec3 metal = vec3(0.52, 0.27, 0.10) * carved;
    float studio = smoothstep(-0.3, 0.9, mirrored.y) * 0.5 + 1.6 * pow(saturate(dot(mirrored, key_direction)), 6.0) + 0.8 * pow(saturate(dot(mirrored, fill_direction)), 4.0);
    vec3 c = metal * (0.25 * ambient(n) + studio * mix(0.4, 1.0, key_visible(s, 0.008, 3.5)));
    c += metal * 0.5 * saturate(dot(n, key_direction)) + rim_color * metal * 1.2 * pow(1.0 - saturate(dot(n, s.view)), 3.0);
    float patina = smoothstep(0.93, 0.70, open + 0.12 * (fibre(sheet() * 0.2) - 0.5));
    c = mix(c, vec3(0.10, 0.27, 0.21) * (0.5 + ambient(n)), 0.65 * patina);
    out_color = vec4(developed(c * open), 1.0);
}
