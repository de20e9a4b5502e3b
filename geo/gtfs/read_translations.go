package gtfs

import (
	"strings"
	"unsafe"
)

type translationColumns struct{ table, field, language, translation, record, value column }

// readTranslations reads the translations of names that riders see.
func (l *loader) readTranslations() error {
	return l.optional("translations.txt", func(t *table) {
		c := translationColumns{translation: t.require("translation"), record: t.column("record_id")}
		if legacy := t.column("trans_id"); legacy != absent && t.column("table_name") == absent {
			c.table, c.field, c.language, c.value = absent, absent, t.require("lang"), legacy
			t.findings.Add(Finding{
				SeverityNote, codeLegacy, t.name, 1, "trans_id", "is the form of before 2019",
				"texts are translated wherever they are",
			})
		} else {
			c.table, c.field = t.require("table_name"), t.require("field_name")
			c.language, c.value = t.require("language"), t.column("field_value")
		}
		for t.next() {
			l.translation(t, &c)
		}
	})
}

// translation reads the translation of a row.
func (l *loader) translation(t *table, c *translationColumns) {
	k := translationKey{
		language: t.intern(strings.ToLower(t.requireShared(c.language))),
		id:       t.clone(t.ref(c.record)),
	}
	if c.table != absent {
		k.table, k.field = t.requireShared(c.table), t.requireShared(c.field)
	}
	if k.table == "feed_info" { // has one record, which has no id; its texts are not shown
		return
	}
	if k.id == "" {
		k.text = t.requireText(c.value)
	}
	text := t.requireText(c.translation)
	if t.rowFailed || !t.hold(unsafe.Sizeof(k)+2*mapEntry) {
		return
	}
	if l.feed.translations == nil {
		l.feed.translations = make(map[translationKey]string)
	}
	l.feed.translations[k] = text
}
