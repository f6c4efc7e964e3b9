// A cartoon: flat tones and dark lines.
void main() {
    Surface s = surface_here();
    vec3 c = s.part == 0 ? developed(background()) : toon(s);
    out_color = vec4(mix(c, c * 0.16 + vec3(0.01, 0.005, 0.015), outline()), 1.0);
}
