package reports

// Codes of the attributes of problems that riders report in apps of other standards.
const (
	AttributeProblem       = "problem"        // code of the standard, as in vehicle_never_came
	AttributeTrip          = "trip"           // id of a trip
	AttributeServiceDate   = "service_date"   // of that trip
	AttributeOnBus         = "on_bus"         // the sender was on the bus: yes or no
	AttributeVehicleNumber = "vehicle_number" // as the sender has read it
)

// Problem is what a rider reports of a stop or a trip in an app of another standard, such as OneBusAway. The rider's
// position is not part of it: a problem is at its stop or bus.
type Problem struct {
	Service    string            // code of a service
	Code       string            // of the problem, in the standard
	Stop       string            // id in the timetable; "" if none is named
	Bus        string            // agency/id; "" if none is known
	Line       string            // public number; "" for a problem of a stop
	Agency     string            // of the trip, if neither stop nor bus tell it
	Attributes map[string]string // what else is known, by the codes above
	Text       string            // by the sender
	Device     string            // names the installation of the app; it is not stored
}
