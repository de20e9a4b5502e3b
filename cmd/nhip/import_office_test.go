package main

import (
	"strings"
	"testing"

	"nhip/app/apptest"
)

// TestImportDryRunShowsTheTable runs the import of an office's table without a broker: it prints how the table is
// understood, the readings, and the faulty row with its line; a question of the table ends it.
func TestImportDryRunShowsTheTable(t *testing.T) {
	dir := t.TempDir()
	file := apptest.WriteFile(t, "bao-cao.csv", "Báo cáo\nThời gian;Trạm;PM2,5 (µg/m³);CO (mg/m³)\n"+
		"16/02/2026 07:00;hn-01;69,2;1,5\n16/02/2026 24:00;hn-01;70,1;sai\n")
	code, out, errs := try(t, dir, "import", "csv", file, "--dry-run", "--zone", "Asia/Ho_Chi_Minh", "--stamps",
		"beginning")
	for _, want := range []string{
		"header: line 2", "decimal sign: comma", "the beginning of the averaging period",
		"hn-01 pm25: 69.2 µg/m³, 2026-02-16T00:00:00Z to 2026-02-16T01:00:00Z", "hn-01 co: 1500 µg/m³",
		"3 readings would be imported, 1 rows rejected",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if code != 1 || !strings.Contains(errs, file+`:4: CO (mg/m³): must be a number, got "sai"`) {
		t.Errorf("exit %d\n%s", code, errs)
	}
	open := apptest.WriteFile(t, "open.csv", "time,no2\n03/04/2026 08:00,1\n")
	for _, step := range []struct{ flags, want string }{
		{"", "--unit no2=UNIT"},
		{"--unit no2=ppb", "--date-order"},
		{"--unit no2=ppb --date-order dmy", "--zone"},
		{"--unit no2=stones", "--unit: "},
		{"--zone Hanoi", "--zone: "},
	} {
		args := append([]string{"import", "csv", open, "--dry-run"}, strings.Fields(step.flags)...)
		if code, _, errs := try(t, dir, args...); code != 1 || !strings.Contains(errs, step.want) {
			t.Errorf("%s: exit %d, %s", step.flags, code, errs)
		}
	}
	if code, _, errs := try(t, dir, "import", "airnow", open, "--zone", "UTC"); code != 1 ||
		!strings.Contains(errs, "csv only") {
		t.Errorf("airnow: exit %d, %s", code, errs)
	}
}

// TestImportOfOfficeTableIsStored imports a table of an office into a running platform.
func TestImportOfOfficeTableIsStored(t *testing.T) {
	p := apptest.Up(t, t.TempDir(), "")
	c := p.API(t)
	file := apptest.WriteFile(t, "old-site.csv", "Ngày;Giờ;PM2,5\n13/01/2001;1;20,5\n13/01/2001;24;21,5\n")
	out := succeed(t, p.Dir, "import", "csv", file, "--zone", "Asia/Ho_Chi_Minh")
	if !strings.Contains(out, "station old-site: 2 readings") {
		t.Error(out)
	}
	apptest.AwaitAssessed(t, c, 2)
}
