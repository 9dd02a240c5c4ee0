package resource

import "strconv"

// Display writes an amount of a resource as people write it: cpu in cores or millicores, memory and storage in the largest binary unit that
// keeps it whole, anything else in pieces.
func Display(name string, value int64) string {
	switch name {
	case CPU:
		if value%1000 == 0 {
			return strconv.FormatInt(value/1000, 10)
		}
		return strconv.FormatInt(value, 10) + "m"
	case Memory, EphemeralStorage:
		unit := 0
		for unit < len(binary)-1 && value != 0 && value%1024 == 0 {
			value /= 1024
			unit++
		}
		return strconv.FormatInt(value, 10) + binary[unit]
	}
	return strconv.FormatInt(value, 10)
}

var binary = [...]string{"", "Ki", "Mi", "Gi", "Ti", "Pi"}
