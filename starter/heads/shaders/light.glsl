// Light of the scene, shared by all looks.
uniform vec3 key_direction, key_color, fill_direction, fill_color, rim_direction, rim_color, sky_color, ground_color;
const vec2 DISC[12] = vec2[12](
    vec2(-.33, -.84), vec2(.52, -.77), vec2(-.87, -.35), vec2(.02, -.3), vec2(.93, -.22), vec2(-.45, .05),
    vec2(.45, .15), vec2(-.92, .4), vec2(-.1, .52), vec2(.86, .5), vec2(.35, .85), vec2(-.45, .86));

// Share of the key light that arrives, softened over `radius` texels of the 1024 px map.
float key_visible(float bias, float radius) {
    vec3 q = in_shadow.xyz * 0.5 + 0.5;
    float sum = 0.0;
    for (int i = 0; i < 12; i++) sum += texture(shadow_map, vec3(q.xy + DISC[i] * radius / 1024.0, q.z - bias));
    return sum / 12.0;
}

vec3 ambient(vec3 n) { return mix(ground_color, sky_color, n.y * 0.5 + 0.5); }

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
