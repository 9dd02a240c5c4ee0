package queues

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// text is any single value as it is written: YuniKorn takes the number 2024 for a name as well.
type text string

// UnmarshalText takes everything.
func (t *text) UnmarshalText(b []byte) error {
	*t = text(b)
	return nil
}

// or gives the text, or something else if there is none.
func (t *text) or(other string) string {
	if t == nil {
		return other
	}
	return string(*t)
}

// flag is true or false in any spelling that YuniKorn's reader takes.
type flag bool

// UnmarshalText refuses what is neither.
func (f *flag) UnmarshalText(b []byte) error {
	switch strings.ToLower(string(b)) {
	case "true", "yes", "on", "y":
		*f = true
	case "false", "no", "off", "n":
		*f = false
	default:
		return fmt.Errorf("must be true or false, but is %q", b)
	}
	return nil
}

func isTrue(f *flag) bool { return f != nil && bool(*f) }

// suffixes are what a quantity may end with, and what each stands for.
var suffixes = map[string]int64{
	"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
	"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40, "Pi": 1 << 50, "Ei": 1 << 60,
}

// quantity reads a whole number with a suffix; for cpu in millicores, for which the suffix m is allowed. Spaces do not count. A value above resource.Limit is
// cut to it.
func quantity(s string, isCPU bool) (value int64, cut bool, err error) {
	s = strings.TrimPrefix(strings.Join(strings.Fields(s), ""), "+")
	end := strings.LastIndexAny(s, "0123456789") + 1
	digits, suffix := s[:end], s[end:]
	scale, ok := suffixes[suffix]
	switch {
	case strings.HasPrefix(s, "-"):
		return 0, false, errors.New("must not be negative")
	case isCPU && suffix == "m":
		scale, ok = 1, true
	case isCPU && scale <= resource.Limit:
		scale *= 1000
	}
	if !ok || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, false, errors.New(allowedQuantity(isCPU))
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n > resource.Limit/scale && n > 0 {
		return resource.Limit, true, nil
	}
	return n * scale, false, nil
}

func allowedQuantity(isCPU bool) string {
	if isCPU {
		return "must be a whole number of cores such as 8, or of thousandths such as 500m"
	}
	return "must be a whole number such as 100 or 100Gi; suffixes are k, M, G, T, P, E and Ki, Mi, Gi, Ti, Pi, Ei"
}

// show writes a value as people would in the file.
func show(name string, value int64) string {
	if name == resource.CPU {
		if value%1000 != 0 {
			return fmt.Sprintf("%dm", value)
		}
		return strconv.FormatInt(value/1000, 10)
	}
	for _, suffix := range []string{"Pi", "P", "Ti", "T", "Gi", "G", "Mi", "M", "Ki", "k"} {
		if scale := suffixes[suffix]; value > 0 && value%scale == 0 {
			return fmt.Sprintf("%d%s", value/scale, suffix)
		}
	}
	return strconv.FormatInt(value, 10)
}

// duration reads a Go duration, which is never negative.
func duration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if _, number := strconv.ParseFloat(s, 64); err != nil && number == nil {
		return 0, errors.New("; a unit is missing: ms, s, m or h")
	}
	if err != nil {
		return 0, errors.New("; units are ms, s, m and h")
	}
	if d < 0 {
		return 0, errors.New("; it must not be negative")
	}
	return d, nil
}
