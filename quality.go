package nhip

// Quality selects which assessments are applied to values before they are returned.
type Quality string

// The qualities. A higher one never discards what a lower one returns.
const (
	QualityRaw       Quality = "raw"       // as the device reported it
	QualityAutomatic Quality = "automatic" // corrected, without values that failed the automatic checks
	QualityReviewed  Quality = "reviewed"  // as reviewed by staff; QualityAutomatic where there is no review
)

// Assessment is the result of the automatic checks and corrections of a reading. The zero value means not assessed
// yet.
type Assessment struct {
	Flag Flag `json:"flag,omitempty"` // result of the automatic checks
	// checks that were not passed, with their flags: "spike=4,humidity=3"
	Tests     string       `json:"tests,omitempty"`
	Corrected Opt[float64] `json:"corrected,omitzero"` // corrected value, where a correction applies
	Rule      string       `json:"rule,omitempty"`     // the correction's name
}

// AssessedReading is a reading with its assessment.
type AssessedReading struct {
	Reading
	Assessment Assessment `json:"verdict,omitzero"`
}

// At returns the value and its flag at q, which is QualityRaw or QualityAutomatic. A reading that is not assessed yet
// keeps the device's flag.
func (j *AssessedReading) At(q Quality) (float64, Flag) {
	if q == QualityRaw {
		return j.Value, j.Flag
	}
	flag := j.Assessment.Flag
	if flag == 0 {
		flag = j.Flag
	}
	return j.Assessment.Corrected.Or(j.Value), flag
}
