// A printed comic: strong colours, halftone dots in the shade, thick lines.
float dots(float amount, float size) {
    vec2 p = mat2(0.766, 0.643, -0.643, 0.766) * sheet() / size;
    return smoothstep(amount + 0.12, amount - 0.12, length(fract(p) - 0.5) * 1.25);
}

void main() {
    Surface s = surface_here();
    vec3 c;
    if (s.part == 0) {
        vec3 flat_color = vivid(developed(background_top), 1.5);
        float ray = step(0.5, fract(atan(uv.y - 0.45, uv.x - 0.5) * 16.0 / 6.2832));
        c = mix(flat_color, mix(flat_color, vec3(1.0), 0.35), ray);
        c = mix(c, flat_color * 0.7, dots(smoothstep(0.30, 0.75, length(uv - 0.5)) * 0.75, 4.2));
    } else {
        c = vivid(toon(s), s.material == SKIN ? 1.05 : 1.35);
        float shade = 1.0 - smoothstep(0.15, 0.65, (dot(s.normal, key_direction) * 0.5 + 0.5) * mix(0.4, 1.0, key_visible(s, 0.012, 2.0)));
        if (s.material == SKIN && s.inside < 0.5) c = mix(c, vivid(c, 1.3) * vec3(0.86, 0.60, 0.58), dots(shade * 0.75, 3.6));
        else if (s.material != EYE && s.material != TEETH) c = mix(c, c * 0.6, dots(shade * 0.7, 3.6));
        c = floor(c * 7.0 + 0.5) / 7.0;
    }
    out_color = vec4(mix(c, vec3(0.03, 0.02, 0.05), saturate(outline() * 1.3 + relief_line(s) * 0.35)), 1.0);
}
