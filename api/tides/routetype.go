package tides

// busTypes are the words of the specification for the extended types 700 to 716 of a route.
var busTypes = [...]string{
	"Bus Service", "Regional Bus Service", "Express Bus Service", "Stopping Bus Service", "Local Bus Service",
	"Night Bus Service", "Post Bus Service", "Special Needs Bus", "Mobility Bus Service",
	"Mobility Bus for Registered Disabled", "Sightseeing Bus", "Shuttle Bus", "School Bus",
	"School and Public Service Bus", "Rail Replacement Bus Service", "Demand and Response Bus Service",
	"All Bus Services",
}

// routeTypes are the words for other types of a route.
var routeTypes = map[int]string{
	0: "Tram / Streetcar / Light rail", 1: "Subway / Metro", 2: "Rail", 3: "Bus", 4: "Ferry", 5: "Cable tram",
	6: "Aerial lift", 7: "Funicular", 11: "Trolleybus", 12: "Monorail",
	100: "Railway Service", 200: "Coach Service", 400: "Urban Railway Service", 800: "Trolleybus Service",
	900: "Tram Service", 1000: "Water Transport Service", 1200: "Ferry Service", 1300: "Aerial Lift Service",
	1400: "Funicular Service", 1500: "Taxi Service",
}

// firstBus is the first of the extended types of buses.
const firstBus = 700

// routeType returns the word for a GTFS route_type, "" if the specification has none.
func routeType(n int) string {
	if i := n - firstBus; i >= 0 && i < len(busTypes) {
		return busTypes[i]
	}
	return routeTypes[n]
}
