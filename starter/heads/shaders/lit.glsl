// The smooth light of `render`: soft skin, anisotropic hair, wet eyes. Linear colours.
vec3 lit_skin(Surface s) {
    vec3 n = s.normal, albedo = s.albedo * (1.0 + s.grain);
    float visible = key_visible(s, 0.006, 3.2);
    // Wrapped diffuse, widest in red, stands for light that travels under the skin.
    vec3 wrap = vec3(0.42, 0.20, 0.13) * (1.0 - 0.35 * melanin);
    vec3 diffuse = clamp((dot(n, key_direction) + wrap) / (1.0 + wrap) / (1.0 + wrap), 0.0, 1.0);
    vec3 light = key_color * diffuse * pow(vec3(visible), vec3(0.55, 0.95, 1.1));
    light += fill_color * clamp((dot(n, fill_direction) + 0.3) / 1.69, 0.0, 1.0) + ambient(n);
    vec3 c = albedo * light;
    c += albedo * vec3(1.0, 0.25, 0.12) * s.ear * 0.15 * rim_color * saturate(dot(-n, rim_direction) * 0.5 + 0.4);
    float dry = 1.0 - s.inside;
    float shine = highlight(n, key_direction, s.view, mix(0.48, 0.34, s.lips)) * 1.1;
    shine = (shine + highlight(n, key_direction, s.view, 0.28) * 0.22) * visible * (1.0 + 5.0 * s.grain);
    c += key_color * shine * dry * (0.75 + 0.5 * s.lips) * (1.0 - 0.5 * s.beard) * (1.0 - 0.8 * saturate(s.brow * 1.4));
    c += fill_color * highlight(n, fill_direction, s.view, 0.5) * 0.8 * dry;
    float grazing = pow(1.0 - saturate(dot(n, s.view)), 3.5);
    float behind = saturate(dot(n, rim_direction) * 0.9 + 0.25);
    c += rim_color * grazing * behind * 0.42 * dry * mix(vec3(1.0), skin_color, 0.35);
    return c + sky_color * grazing * 0.12;
}

vec3 lit_eye(Surface s) {
    vec3 n = s.normal;
    float visible = key_visible(s, 0.010, 4.0);
    float under_lid = mix(0.42, 1.0, smoothstep(0.62, -0.05, n.y));
    vec3 light = key_color * saturate(dot(n, key_direction) * 0.8 + 0.2) * 0.62 * mix(0.35, 1.0, visible);
    light += fill_color * 0.4 * saturate(dot(n, fill_direction) * 0.6 + 0.4) + ambient(n) * 0.85;
    vec3 mirrored = reflect(-s.view, n);
    float spark = pow(saturate(dot(mirrored, normalize(key_direction + vec3(0, 0.25, 0.6)))), 180.0);
    float window = pow(saturate(dot(mirrored, normalize(fill_direction + vec3(0, 0.1, 1.0)))), 90.0);
    return s.albedo * light * under_lid + vec3(2.4 * spark) + fill_color * window * 0.35;
}

// Kajiya and Kay's strand model (1989) with a sharp and a wide lobe; curls scatter instead of shining.
vec3 lit_hair(Surface s) {
    vec3 n = s.normal;
    vec3 base = s.albedo * mix(0.55, 1.35, s.rank);
    base = mix(base * 0.55, base * 1.12, smoothstep(0.0, 0.6, s.along));
    float visible = key_visible(s, 0.008, 3.5), is_curl = s.kind > 1.5 ? 1.0 : 0.0;
    float diffuse = saturate(dot(n, key_direction) * 0.75 + 0.25) * 0.75;
    float across = dot(s.tangent, normalize(key_direction + s.view)) + 0.08 * (s.rank - 0.5);
    float sharp = pow(sqrt(max(0.0, 1.0 - across * across)), 60.0);
    float wide = pow(sqrt(max(0.0, 1.0 - (across + 0.14) * (across + 0.14))), 18.0);
    vec3 c = base * (key_color * diffuse * mix(0.12, 1.0, visible) + ambient(n)
                     + fill_color * saturate(dot(n, fill_direction) * 0.7 + 0.3) * 0.9);
    vec3 gloss = sharp * (0.022 + 0.25 * base) + wide * 0.5 * base;
    c += key_color * visible * saturate(dot(n, key_direction) + 0.25) * mix(1.0, 0.15, is_curl) * gloss;
    float grazing = pow(1.0 - saturate(dot(n, s.view)), 2.5);
    float behind = saturate(dot(n, rim_direction) * 0.8 + 0.3);
    return c + rim_color * grazing * behind * (base * 0.8 + 0.012) * mix(1.0, 0.4, is_curl);
}

vec3 lit_cloth(Surface s) {
    vec3 n = s.normal, albedo = s.albedo * (1.0 + s.grain) * mix(1.0, 0.72, s.material == CLOTH ? s.edge : 0.0);
    vec3 light = key_color * saturate(dot(n, key_direction) * 0.8 + 0.2) * mix(0.15, 1.0, key_visible(s, 0.012, 4.0));
    light += fill_color * saturate(dot(n, fill_direction) * 0.7 + 0.3) + ambient(n);
    float grazing = pow(1.0 - saturate(dot(n, s.view)), 3.0);
    return albedo * light + rim_color * grazing * saturate(dot(n, rim_direction) + 0.1) * (albedo * 0.5 + 0.04);
}

vec3 lit_other(Surface s) {
    vec3 n = s.normal;
    if (s.material == TEETH)
        return s.albedo * (key_color * saturate(dot(n, key_direction) * 0.6 + 0.35) * 0.6 * mix(0.4, 1.0, key_visible(s, 0.008, 5.0))
                           + ambient(n) * 0.6);
    if (s.material == LASH) return s.albedo * (1.0 + ambient(n));
    vec3 light = key_color * saturate(dot(n, key_direction) * 0.7 + 0.3) + ambient(n) + fill_color * 0.4;
    vec3 c = s.albedo * light;
    if (s.material == METAL) {
        vec3 mirrored = reflect(-s.view, n);
        c = s.albedo * (0.35 * light + 1.1 * smoothstep(-0.2, 0.9, mirrored.y) + 1.5 * pow(saturate(dot(mirrored, key_direction)), 12.0));
    } else if (s.kind > 0.5) {   // a lens mirrors the sky
        c += (0.02 + 0.22 * smoothstep(0.15, 0.75, reflect(-s.view, n).y)) * sky_color;
    }
    return c + key_color * highlight(n, key_direction, s.view, 0.25) * 1.5 + pow(1.0 - saturate(dot(n, s.view)), 4.0) * 0.25;
}

vec3 lit(Surface s) {
    if (s.material == SKIN) return lit_skin(s);
    if (s.material == EYE) return lit_eye(s);
    if (s.material == HAIR) return lit_hair(s);
    if (s.material == CLOTH || s.material == HAT) return lit_cloth(s);
    return lit_other(s);
}

// Lit, with occlusion; skin shades towards red.
vec3 lit_and_occluded(Surface s) {
    vec3 open = vec3(openness(s.depth));
    return lit(s) * (s.part < 6 ? pow(open, vec3(0.75, 1.1, 1.2)) : open);
}
