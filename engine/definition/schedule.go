package definition

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cronField is one of the five fields of a cron expression.
type cronField struct {
	name     string
	min, max int
	words    []string // for min, min+1, …
}

var cronFields = []cronField{
	{name: "minute", max: 59},
	{name: "hour", max: 23},
	{name: "day of month", min: 1, max: 31},
	{name: "month", min: 1, max: 12, words: []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
	{name: "day of week", max: 6, words: []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
}

// checkSchedule accepts what the clock of the engine reads: five fields, or one of the short forms.
// Times are UTC; a schedule cannot name another zone.
func checkSchedule(s string) error {
	if every, ok := strings.CutPrefix(s, "@every "); ok {
		d, err := time.ParseDuration(every)
		switch {
		case err != nil:
			return errors.New("@every is followed by a duration such as 50m")
		case d < time.Second:
			return errors.New("a second is the least")
		}
		return nil
	}
	if strings.HasPrefix(s, "@") {
		short := []string{"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"}
		if !slices.Contains(short, s) {
			return errors.New(suggest(s, append(short, "@every 50m")))
		}
		return nil
	}
	fields := strings.Fields(s)
	if len(fields) != len(cronFields) {
		return fmt.Errorf("it has %d fields instead of minute, hour, day of month, month, day of week", len(fields))
	}
	for i, f := range cronFields {
		for part := range strings.SplitSeq(fields[i], ",") {
			if err := f.check(part); err != nil {
				return fmt.Errorf("%s: %w", f.name, err)
			}
		}
	}
	return nil
}

// check accepts *, a value, or a range, each with a step.
func (f cronField) check(s string) error {
	span, step, stepped := strings.Cut(s, "/")
	if stepped {
		if n, err := strconv.Atoi(step); err != nil || n < 1 {
			return fmt.Errorf("%q is not a step", step)
		}
	}
	if span == "*" || span == "?" {
		return nil
	}
	from, to, ranged := strings.Cut(span, "-")
	low, err := f.value(from)
	if err != nil || !ranged {
		return err
	}
	high, err := f.value(to)
	if err == nil && high < low {
		err = fmt.Errorf("%s ends before it begins", span)
	}
	return err
}

func (f cronField) value(s string) (int, error) {
	if i := slices.Index(f.words, strings.ToLower(s)); i >= 0 {
		return f.min + i, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < f.min || n > f.max || strings.HasPrefix(s, "+") {
		return 0, fmt.Errorf("%q is not between %d and %d", s, f.min, f.max)
	}
	return n, nil
}
