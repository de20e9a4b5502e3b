package gtfs

import "time"

// outTables lists the files of a feed in the order of the archive.
var outTables = []outTable{
	{"agency.txt", []string{
		"agency_id", "agency_name", "agency_url", "agency_timezone", "agency_lang", "agency_phone", "agency_email",
		"agency_fare_url",
	}, putAgencies},
	{"feed_info.txt", []string{"feed_publisher_name", "feed_publisher_url", "feed_lang", "feed_version"}, putInfo},
	{"stops.txt", []string{
		"stop_id", "stop_code", "stop_name", "stop_lat", "stop_lon", "location_type",
		"parent_station", "wheelchair_boarding",
	}, putStops},
	{"routes.txt", []string{
		"route_id", "agency_id", "route_short_name", "route_long_name", "route_type",
		"route_color", "route_text_color", "route_desc", "route_url",
	}, putRoutes},
	{"calendar.txt", []string{
		"service_id", "monday", "tuesday", "wednesday", "thursday", "friday",
		"saturday", "sunday", "start_date", "end_date",
	}, putCalendar},
	{"calendar_dates.txt", []string{"service_id", "date", "exception_type"}, putExceptions},
	{
		"shapes.txt",
		[]string{"shape_id", "shape_pt_lat", "shape_pt_lon", "shape_pt_sequence", "shape_dist_traveled"},
		putShapes,
	},
	{"trips.txt", []string{
		"route_id", "service_id", "trip_id", "trip_headsign", "trip_short_name",
		"direction_id", "block_id", "shape_id",
	}, putTrips},
	{"stop_times.txt", []string{
		"trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence",
		"pickup_type", "drop_off_type", "timepoint", "shape_dist_traveled",
	}, putStopTimes},
	{"frequencies.txt", []string{"trip_id", "start_time", "end_time", "headway_secs", "exact_times"}, putFrequencies},
}

func putAgencies(f *Feed, put func(...string)) {
	for _, a := range f.Agencies {
		put(a.ID, a.Name, a.URL, a.Location.String(), a.Language, a.Phone, a.Email, a.FareURL)
	}
}

func putInfo(f *Feed, put func(...string)) {
	if f.Info != nil {
		put(f.Info.Publisher, f.Info.URL, f.Info.Language, f.Info.Version)
	}
}

func putStops(f *Feed, put func(...string)) {
	for _, s := range f.Stops {
		lat, lon := coordinates(s.Point)
		put(s.ID, s.Code, s.Name, lat, lon, formatInt(s.LocationType), s.Parent, formatInt(s.Wheelchair))
	}
}

func putRoutes(f *Feed, put func(...string)) {
	for _, r := range f.Routes {
		put(r.ID, r.Agency.ID, r.ShortName, r.LongName, formatInt(r.Type), r.Color, r.TextColor, r.Description, r.URL)
	}
}

func putCalendar(f *Feed, put func(...string)) {
	for _, s := range f.Services {
		if s.Start == 0 {
			continue
		}
		row := []string{s.ID}
		for i := range 7 { // the columns of calendar.txt begin with Monday
			row = append(row, formatBool(s.Weekdays[(int(time.Monday)+i)%7]))
		}
		put(append(row, s.Start.String(), s.End.String())...)
	}
}

func putExceptions(f *Feed, put func(...string)) {
	for _, s := range f.Services {
		for _, d := range s.Added {
			put(s.ID, d.String(), "1")
		}
		for _, d := range s.Removed {
			put(s.ID, d.String(), "2")
		}
	}
}

func putShapes(f *Feed, put func(...string)) {
	for _, s := range f.Shapes {
		for i, p := range s.Line {
			d := NoDist
			if s.Dists != nil {
				d = s.Dists[i]
			}
			lat, lon := coordinates(p)
			put(s.ID, lat, lon, formatInt(i), formatDist(d))
		}
	}
}

func putTrips(f *Feed, put func(...string)) {
	for _, t := range f.Trips {
		direction, shape := "", ""
		if d, ok := t.Direction.Get(); ok {
			direction = formatInt(d)
		}
		if t.Shape != nil {
			shape = t.Shape.ID
		}
		put(t.Route.ID, t.Service.ID, t.ID, t.Headsign, t.ShortName, direction, t.Block, shape)
	}
}

func putStopTimes(f *Feed, put func(...string)) {
	for _, t := range f.Trips {
		for i := range t.StopTimes {
			st := &t.StopTimes[i]
			arrival, departure := st.Arrival.String(), st.Departure.String()
			if st.Estimated {
				arrival, departure = "", ""
			}
			timepoint := ""
			if st.Timepoint != TimepointNotGiven {
				timepoint = formatInt(st.Timepoint - TimepointApproximate)
			}
			put(t.ID, arrival, departure, st.Stop.ID, formatInt(st.Sequence),
				formatInt(st.Pickup), formatInt(st.DropOff), timepoint, formatDist(st.Dist))
		}
	}
}

func putFrequencies(f *Feed, put func(...string)) {
	for _, t := range f.Trips {
		for _, q := range t.Frequencies {
			put(t.ID, q.Start.String(), q.End.String(), formatInt(q.Headway), formatBool(q.Exact))
		}
	}
}
