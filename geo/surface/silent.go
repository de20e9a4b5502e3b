package surface

import "math"

// maxLastingReach bounds how far a lasting bias reaches, in m: it is that of a street or a yard, not of a district.
const maxLastingReach = 2000

// fillSilent applies to a surface the lasting biases of silent sites that usually report, and returns those. A bias
// fades with the distance from its site, over half the distance to the nearest site with a value, so that it changes
// nothing there.
func (p *lattice) fillSilent(bias func(id string) (float64, bool), silent []Site, out *Raster) (filled []string) {
	for _, site := range silent {
		of, ok := bias(site.ID)
		if !ok {
			continue
		}
		x, y := p.bank.plane.XY(site.Point)
		near := math.Inf(1)
		for i := range p.bank.x {
			near = min(near, math.Hypot(x-p.bank.x[i], y-p.bank.y[i]))
		}
		if reach := min(near/2, maxLastingReach); p.addBump(x, y, of, max(reach, p.side()), out) {
			filled = append(filled, site.ID)
		}
	}
	return filled
}

// addBump applies a bias that fades by exp(−(h/reach)²) to the known nodes around a place. It reports whether there are
// any.
func (p *lattice) addBump(x, y, bias, reach float64, out *Raster) bool {
	found := false
	for j, ny := range p.north {
		if math.Abs(ny-y) > 3*reach {
			continue
		}
		for i, ex := range p.east {
			k := j*len(p.east) + i
			h2 := ((ex-x)*(ex-x) + (ny-y)*(ny-y)) / (reach * reach)
			if h2 > 9 || !p.known[k] {
				continue
			}
			found = true
			out.Values[k] *= float32(1 + bias*math.Exp(-h2))
		}
	}
	return found
}
