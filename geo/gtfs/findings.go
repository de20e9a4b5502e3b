package gtfs

import (
	"cmp"
	"errors"
)

// Severity says what a finding costs.
type Severity string

// The severities of findings.
const (
	SeverityError   Severity = "error"   // a row or a file is left out, or the timetable is refused
	SeverityWarning Severity = "warning" // a value is left out or replaced
	SeverityNote    Severity = "note"    // nothing is lost
)

// Severities lists all severities, the worst first.
var Severities = []Severity{SeverityError, SeverityWarning, SeverityNote}

// Finding is one flaw of a timetable and what was done instead of using it.
type Finding struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`  // that of the canonical GTFS validator's notice where it has one
	File     string   `json:"file"`  // "stop_times.txt"
	Line     int      `json:"line"`  // 1 is the header; 0 means the whole file
	Field    string   `json:"field"` // column; empty means the whole row
	Message  string   `json:"message"`
	Done     string   `json:"done"`
}

// Findings are the flaws of one timetable. The first of each code and file are listed, all are counted.
type Findings struct {
	List []Finding

	most   int // listed of each kind; 0 is keptFindings
	kept   map[findingKind]int
	counts map[Severity]int
}

// keptFindings bounds the listed findings of one code in one file, unless Options say more.
const keptFindings = 20

type findingKind struct{ file, code string }

// Add counts a finding and lists it, unless there are many of its kind.
func (f *Findings) Add(found Finding) {
	if f == nil {
		return
	}
	if f.kept == nil {
		f.kept, f.counts = make(map[findingKind]int), make(map[Severity]int)
	}
	f.counts[found.Severity]++
	kind := findingKind{found.File, found.Code}
	if f.kept[kind]++; f.kept[kind] <= cmp.Or(f.most, keptFindings) {
		found.Message = clip(found.Message)
		f.List = append(f.List, found)
	}
}

// join adds the findings of another timetable.
func (f *Findings) join(other *Findings) {
	if other == nil {
		return
	}
	if f.counts == nil {
		f.kept, f.counts = make(map[findingKind]int), make(map[Severity]int)
	}
	f.List = append(f.List, other.List...)
	for severity, n := range other.counts {
		f.counts[severity] += n
	}
}

// Worst returns the first finding of the worst severity. There must be one.
func (f *Findings) Worst() Finding {
	for _, s := range Severities {
		for _, found := range f.List {
			if found.Severity == s {
				return found
			}
		}
	}
	return f.List[0]
}

// String returns "file:line: field: severity: message (code); what was done", with the parts that are set.
func (f Finding) String() string {
	at := (&Error{File: f.File, Line: f.Line, Field: f.Field, Rule: string(f.Severity)}).Error()
	return at + ": " + f.Message + " (" + f.Code + "); " + f.Done
}

// Count returns how many findings of a severity there are, also those that are not listed.
func (f *Findings) Count(s Severity) int { return f.counts[s] }

// Unlisted returns how many findings are counted but not listed.
func (f *Findings) Unlisted() int {
	total := 0
	for _, n := range f.counts {
		total += n
	}
	return total - len(f.List)
}

// Refuse adds the errors for which a timetable can't be used.
func (f *Findings) Refuse(err error) {
	const done = "the timetable is refused"
	var several interface{ Unwrap() []error }
	if errors.As(err, &several) {
		for _, one := range several.Unwrap() {
			f.Refuse(one)
		}
		return
	}
	found := Finding{Severity: SeverityError, Code: codeRefused, Message: err.Error(), Done: done}
	var fault *Error
	if errors.As(err, &fault) {
		found.File, found.Line, found.Field, found.Message = fault.File, fault.Line, fault.Field, fault.Rule
		if fault.code != "" {
			found.Code = fault.code
		}
	}
	f.Add(found)
}

// Codes of findings. All but the last group are notices of the canonical GTFS validator.
const (
	codeArrivalBeforeDeparture = "stop_time_with_arrival_before_previous_departure_time"
	codeDecreasingDistance     = "decreasing_or_equal_shape_distance"
	codeDuplicateColumn        = "duplicated_column"
	codeDuplicateKey           = "duplicate_key"
	codeEmptyFile              = "empty_file"
	codeEmptyRow               = "empty_row"
	codeForeignKey             = "foreign_key_violation"
	codeInvalidCharacter       = "invalid_character"
	codeInvalidColor           = "invalid_color"
	codeInvalidDate            = "invalid_date"
	codeInvalidFloat           = "invalid_float"
	codeInvalidInteger         = "invalid_integer"
	codeInvalidRowLength       = "invalid_row_length"
	codeInvalidTime            = "invalid_time"
	codeInvalidTimezone        = "invalid_timezone"
	codeMissingCalendar        = "missing_calendar_and_calendar_date_files"
	codeMissingColumn          = "missing_required_column"
	codeMissingField           = "missing_required_field"
	codeMissingFile            = "missing_required_file"
	codeMissingTripEdge        = "missing_trip_edge"
	codeNonPrintable           = "non_ascii_or_non_printable_char"
	codeOutOfOrder             = "start_and_end_range_out_of_order"
	codeOutOfRange             = "number_out_of_range"
	codeOverlappingBlock       = "block_trips_with_overlapping_stop_times"
	codeParsing                = "csv_parsing_failed"
	codeRouteWithoutName       = "route_both_short_and_long_name_missing"
	codeSinglePoint            = "single_shape_point"
	codeSubfolder              = "invalid_input_files_in_subfolder"
	codeTooManyRows            = "too_many_rows"
	codeTwoZones               = "inconsistent_agency_timezone"
	codeUnexpectedEnum         = "unexpected_enum_value"
	codeUnexpectedLocation     = "location_with_unexpected_stop_time"
	codeUnusableTrip           = "unusable_trip"
	codeWithoutLocation        = "stop_without_location"

	// Those that have no such notice.
	codeDuplicateFile   = "duplicate_file"
	codeEndAfterService = "feed_end_after_last_service"
	codeFlexible        = "flexible_service_not_used"
	codeLongID          = "id_too_long"
	codeLegacy          = "legacy_translations"
	codeRefused         = "timetable_refused"
	codeUnreadable      = "unreadable_file"
	codeWrongFileName   = "file_name_case"
	codeWithoutTemplate = "trip_without_frequency"
)
