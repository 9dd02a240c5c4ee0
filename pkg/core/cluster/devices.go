package cluster

import (
	"slices"
	"strings"

	resourcev1 "k8s.io/api/resource/v1"

	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// DeviceClassFact is what the scheduler keeps of a DeviceClass (resource.k8s.io): as which extended resource its devices can be requested, besides the name
// that every class has for that. It is immutable once made.
type DeviceClassFact struct {
	Name            string
	ResourceVersion string
	// Extended is spec.extendedResourceName; empty for none.
	Extended string
}

// ReadDeviceClass makes the fact of a DeviceClass.
func ReadDeviceClass(c *resourcev1.DeviceClass) *DeviceClassFact {
	f := &DeviceClassFact{Name: c.Name, ResourceVersion: c.ResourceVersion}
	if c.Spec.ExtendedResourceName != nil {
		f.Extended = *c.Spec.ExtendedResourceName
	}
	return f
}

// SetDeviceClass takes in the newest fact of a DeviceClass.
func (s *State) SetDeviceClass(f *DeviceClassFact) {
	if old := s.deviceClasses[f.Name]; old == nil || old.Extended != f.Extended {
		s.deviceVersion++
	}
	s.deviceClasses[f.Name] = f
}

// RemoveDeviceClass forgets a DeviceClass.
func (s *State) RemoveDeviceClass(name string) {
	if s.deviceClasses[name] != nil {
		delete(s.deviceClasses, name)
		s.deviceVersion++
	}
}

// DeviceVersion changes whenever Devices may have.
func (s *State) DeviceVersion() uint64 { return s.deviceVersion }

// Devices returns a resource that a shape asks for and that is to be had as devices of a class alone: the class provides it, and no known node offers any by
// itself. It is empty when there is none.
func (s *State) Devices(shape *Shape) (name, class string) {
	if len(s.deviceClasses) == 0 {
		return "", ""
	}
	for i, r := range shape.Requests {
		if slot := shape.Slots[i]; r.Value == 0 || slot != NoSlot && s.Offering(slot) > 0 {
			continue
		}
		if class := s.provider(r.Name); class != "" {
			return r.Name, class
		}
	}
	return "", ""
}

// Extended reports whether a shape asks for anything beyond what every node has.
func (shape *Shape) Extended() bool {
	return slices.ContainsFunc(shape.Slots, func(slot int) bool { return slot == NoSlot || slot > resource.SlotEphemeralStorage })
}

// provider is the class that provides a resource; of several the first by name. Empty if there is none.
func (s *State) provider(name string) (class string) {
	if named, implicit := strings.CutPrefix(name, resourcev1.ResourceDeviceClassPrefix); implicit && s.deviceClasses[named] != nil {
		return named
	}
	for _, c := range s.deviceClasses {
		if c.Extended == name && (class == "" || c.Name < class) {
			class = c.Name
		}
	}
	return class
}
