package nhip

// Kinds of documents, as in the topics nhip/say/<kind>/<id>.
const (
	DocumentKey     = "key"     // a Key
	DocumentKeyUse  = "keyuse"  // a KeyUse, by the id of the key
	DocumentSession = "session" // a Session
	DocumentToken   = "token"   // a TokenRotation

	DocumentReport  = "report"  // a CitizenReport
	DocumentContact = "contact" // a ReportContact, by the id of the report
	DocumentDevice  = "device"  // a DeviceChange, by the id of the device

	DocumentCalibration = "calibration" // a CalibrationChange, by CalibrationID
	DocumentReminder    = "reminder"    // a Reminder

	DocumentServiceAlert = "service-alert" // a WrittenAlert
	DocumentSchedule     = "schedule"      // a Schedule
)

// documentKinds are all kinds of documents.
var documentKinds = []DocumentKind{
	{Name: DocumentKey, MaxBytes: 16 << 10, MaxCount: 20_000, Validate: validateKey, Redact: redactKey},
	{
		Name: DocumentReport, MaxBytes: MaxDocumentBytes, MaxCount: MaxReports, Validate: validateReport,
		Redact: redactReport,
	},
	{
		Name: DocumentContact, MaxBytes: 8 << 10, MaxCount: MaxReports, Validate: validateContact, Redact: redactContact,
		Quiet: true,
	},
	{Name: DocumentDevice, MaxBytes: 8 << 10, MaxCount: 20_000, Validate: validateDeviceChange, Redact: redactDevice},
	{Name: DocumentCalibration, MaxBytes: MaxDocumentBytes, MaxCount: 20_000, Validate: validateCalibration},
	{
		Name: DocumentServiceAlert, MaxBytes: MaxDocumentBytes, MaxCount: 20_000, Validate: validateWrittenAlert,
		Expiry: writtenAlertExpiry,
	},
	{Name: DocumentSchedule, MaxBytes: MaxDocumentBytes, MaxCount: MaxSchedules, Validate: validateSchedule},
	{Name: DocumentKeyUse, MaxBytes: 1 << 10, MaxCount: 20_000, Validate: validateKeyUse, Quiet: true},
	{
		Name: DocumentSession, MaxBytes: 16 << 10, MaxCount: 50_000, Validate: validateSession, Expiry: sessionExpiry,
	},
	{
		Name: DocumentReminder, MaxBytes: MaxDocumentBytes, MaxCount: MaxReminders, Validate: validateReminder,
		Redact: redactReminder, Expiry: reminderExpiry, Quiet: true,
	},
	{Name: DocumentToken, MaxBytes: 1 << 10, MaxCount: 100, Validate: validateTokenRotation},
}
