package officetable

import (
	"slices"
	"strconv"
	"strings"
)

// compassPoints are the 16 points from north, clockwise, in English.
var compassPoints = []string{
	"N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW",
}

// compassDegrees returns the degrees of a compass point. Points in a column with a Vietnamese name are refused: "N" is
// south there (Nam).
func (t *Table) compassDegrees(text string, c *valueColumn) (string, bool) {
	if strings.HasPrefix(fold(t.names[c.at]), "huong gio") {
		return "", false
	}
	i := slices.Index(compassPoints, strings.ToUpper(strings.TrimSpace(text)))
	return strconv.FormatFloat(float64(i)*360/float64(len(compassPoints)), 'f', -1, 64), i >= 0
}
