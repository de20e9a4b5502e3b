package gtfs

import "strings"

// translationKey says what is translated: a field of a record, or any field of that text.
type translationKey struct{ table, field, language, id, text string }

// readTranslations keeps the translations of names that riders see.
func (l *loader) readTranslations() error {
	return l.optional("translations.txt", func(t *table) {
		in, field, language, translation := t.need("table_name"), t.need("field_name"), t.need("language"), t.need("translation")
		record, value := t.column("record_id"), t.column("field_value")
		for t.next() {
			k := translationKey{table: t.keepNeeded(in), field: t.keepNeeded(field), language: strings.ToLower(t.keepNeeded(language)), id: t.keep(record)}
			if k.id == "" {
				k.text = t.keepNeeded(value)
			}
			if l.feed.translations == nil {
				l.feed.translations = make(map[translationKey]string)
			}
			l.feed.translations[k] = t.keep(translation)
		}
	})
}

// translate returns a text in another language (IETF BCP 47, lower case), or "" where the feed has none.
func (f *Feed) translate(table, field, language, id, text string) string {
	if s := f.translations[translationKey{table: table, field: field, language: language, id: id}]; s != "" {
		return s
	}
	return f.translations[translationKey{table: table, field: field, language: language, text: text}]
}

// StopName returns a stop's name in a language, or "" where the feed has none.
func (f *Feed) StopName(s *Stop, language string) string {
	return f.translate("stops", "stop_name", language, s.ID, s.Name)
}

// RouteName returns a route's long name in a language, or "" where the feed has none.
func (f *Feed) RouteName(r *Route, language string) string {
	return f.translate("routes", "route_long_name", language, r.ID, r.LongName)
}
