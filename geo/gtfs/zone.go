package gtfs

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// SameZone reports whether two time zones have always had the same times since 2000, as Asia/Ho_Chi_Minh and its older
// name Asia/Saigon have.
func SameZone(a, b *time.Location) bool {
	if a.String() == b.String() {
		return true
	}
	for at := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2040; {
		_, left := at.In(a).Zone()
		_, right := at.In(b).Zone()
		_, until := at.In(a).ZoneBounds()
		_, other := at.In(b).ZoneBounds()
		if left != right {
			return false
		}
		// A change of one zone only need not change its offset: many systems' files have one in 2038, where their list ends.
		if until.IsZero() || !other.IsZero() && other.Before(until) {
			until = other
		}
		if until.IsZero() {
			return true
		}
		at = until.UTC()
	}
	return true
}

// loadZone returns the time zone of a name, or nil.
func loadZone(name string) *time.Location {
	if name == "" || name == "Local" { // time.LoadLocation accepts "Local" as the machine's time zone
		return nil
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	return loc
}

// offsetZone matches a time zone that is written as an offset from UTC of whole hours: UTC+7, GMT+07:00, +0700.
var offsetZone = regexp.MustCompile(`^(?:UTC|GMT)?\s*([+-])\s*(\d{1,2})(?::?00)?$`)

// guessZone returns the time zone that a publisher means by a name that is not quite one of IANA's, or nil: in other
// letters ("asia/ho_chi_minh"), with blanks, an offset of whole hours, or the capital that Vietnam's zone is not named
// after.
func guessZone(name string) *time.Location {
	name = strings.Join(strings.Fields(name), "_")
	if zone := loadZone(name); zone != nil {
		return zone
	}
	for _, other := range spellings(name) {
		if zone := loadZone(other); zone != nil {
			return zone
		}
	}
	if titled(name) == "Asia/Hanoi" || titled(name) == "Asia/Ha_Noi" {
		return loadZone("Asia/Ho_Chi_Minh")
	}
	m := offsetZone.FindStringSubmatch(strings.ToUpper(strings.ReplaceAll(name, "_", " ")))
	if m == nil {
		return nil
	}
	hours, _ := strconv.Atoi(m[2])
	sign := "-" // IANA's names have the sign of POSIX: Etc/GMT-7 is east of Greenwich
	if m[1] == "-" {
		sign = "+"
	}
	return loadZone("Etc/GMT" + sign + strconv.Itoa(hours))
}

// spellings returns a name in the letters of IANA's names, as far as its words can tell: Asia/Ho_Chi_Minh,
// America/Port_of_Spain, UTC, US/Eastern, Etc/GMT-7.
func spellings(name string) []string {
	all := []string{titled(name), smallWords.Replace(titled(name)), strings.ToUpper(name)}
	if area, place, found := strings.Cut(name, "/"); found {
		all = append(all, strings.ToUpper(area)+"/"+titled(place), titled(area)+"/"+strings.ToUpper(place))
	}
	return all
}

// smallWords writes the words small that IANA writes so.
var smallWords = strings.NewReplacer("_Of_", "_of_", "_Es_", "_es_", "-Au-", "-au-")

// titled returns a name with capitals where most names of IANA have them.
func titled(name string) string {
	upper := true
	return strings.Map(func(r rune) rune {
		s := string(r)
		if upper {
			s = strings.ToUpper(s)
		} else {
			s = strings.ToLower(s)
		}
		upper = strings.ContainsRune("/_-", r)
		return []rune(s)[0]
	}, name)
}
