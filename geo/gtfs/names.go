package gtfs

// translate returns a text in another language (IETF BCP 47, lower case), or "" if the feed has no translation.
func (f *Feed) translate(table, field, language, id, text string) string {
	if s := f.translations[translationKey{table: table, field: field, language: language, id: id}]; s != "" {
		return s
	}
	if s := f.translations[translationKey{table: table, field: field, language: language, text: text}]; s != "" {
		return s
	}
	return f.translations[translationKey{language: language, text: text}] // of before 2019
}

// StopName returns the name of a stop in a language, or "" if the feed has no translation.
func (f *Feed) StopName(s *Stop, language string) string {
	return f.translate("stops", "stop_name", language, s.ID, s.Name)
}

// RouteName returns the long name of a route in a language, or "" if the feed has no translation.
func (f *Feed) RouteName(r *Route, language string) string {
	return f.translate("routes", "route_long_name", language, r.ID, r.LongName)
}
