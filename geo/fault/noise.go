package fault

import "math"

// The test for more scatter from hour to hour.
const (
	noiseThreshold = 12
	noiseScale     = 0.7 // successive hours share a value
	noiseRatio     = 2.5 // scatter that is looked for, in multiples of the usual one
	noiseScoreCap  = 1.2
	bumpFloor      = 0.03
	dailyNoiseMin  = 0.7
)

// noise looks for hours in which a member scatters more than it does.
func (f *field) noise(i int, factor float64, yield func(segment)) {
	bumps := nanSlice(f.hours)
	r := f.r[i]
	for t := 1; t+1 < f.hours; t++ {
		bumps[t] = r[t] - (r[t-1]+r[t+1])/2
	}
	usual, daily := f.bumpScale(i, bumps)
	scores := make([]float64, f.hours)
	for t, b := range bumps {
		z := b / (usual * daily[f.hourOfDay(t)] * f.scale[i][t] / f.steady[i])
		scores[t] = noiseScale * clip(surprise(z)-surprise(z/noiseRatio)-math.Log(noiseRatio), -noiseScoreCap, noiseScoreCap)
	}
	sequential(scores, noiseThreshold*factor, func(from, to int, _, total float64) {
		yield(segment{field: f, member: i, cause: Noise, from: from, to: to, total: total, h: noiseThreshold})
	})
}

// bumpScale returns the usual deviation of bumps in hours that are not flagged, and its share by hour of the day.
func (f *field) bumpScale(i int, bumps []float64) (usual float64, daily [24]float64) {
	var all []float64
	var byHour [24][]float64
	for t, b := range bumps {
		if b == b && !f.flagged[i][t] {
			all = append(all, math.Abs(b))
			h := f.hourOfDay(t)
			byHour[h] = append(byHour[h], math.Abs(b))
		}
	}
	middle := median(all)
	usual = bumpFloor
	if middle == middle {
		usual = max(madToDeviation*middle, bumpFloor)
	}
	for h := range daily {
		daily[h] = 1
		if len(byHour[h]) >= minDailyHours {
			daily[h] = max(madToDeviation*median(byHour[h])/usual, dailyNoiseMin)
		}
	}
	return usual, daily
}

// The test for more scatter within the hour, of low-cost sensors.
const (
	roughThreshold = 12
	roughFail      = 40
	roughUsual     = 3
	roughCap       = 8
	roughLow       = -6
	roughFloor     = 0.25
	roughValue     = 1   // µg/m³ that is added to the value: near zero all is rough
	roughStep      = 0.1 // µg/m³ that is added to the roughness: the resolution of the sensors
)

// roughness looks for hours in which successive raw values scatter more than they do.
func (f *field) roughness(i int, yield func(segment)) {
	w := nanSlice(f.hours)
	var usual []float64
	for t := range w {
		h := &f.in[i][t]
		w[t] = math.Log((h.Roughness + roughStep) / (max(h.Value, 0) + roughValue))
		if w[t] == w[t] && !f.flagged[i][t] {
			usual = append(usual, w[t])
		}
	}
	if len(usual) < minCommonHours {
		return
	}
	middle := median(usual)
	for k, v := range usual {
		usual[k] = v - middle
	}
	scale := max(deviation(usual), roughFloor)
	for t, v := range w {
		w[t] = clip((v-middle)/scale, roughLow, roughCap) - roughUsual
	}
	sequential(w, roughThreshold, func(from, to int, peak, total float64) {
		yield(segment{
			field: f, member: i, cause: Noise, from: from, to: to, total: total, h: roughThreshold, fail: peak >= roughFail,
		})
	})
}
