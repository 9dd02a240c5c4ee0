package cluster

import "reflect"

// Same reports whether two facts tell the same, whatever their versions. So do those of the other kinds.
func (f *VolumeClaimFact) Same(o *VolumeClaimFact) bool {
	return same(f, o, func(f *VolumeClaimFact) *string { return &f.ResourceVersion })
}

// Same reports whether two facts tell the same.
func (f *VolumeFact) Same(o *VolumeFact) bool {
	return same(f, o, func(f *VolumeFact) *string { return &f.ResourceVersion })
}

// Same reports whether two facts tell the same.
func (f *StorageClassFact) Same(o *StorageClassFact) bool {
	return same(f, o, func(f *StorageClassFact) *string { return &f.ResourceVersion })
}

// Same reports whether two facts tell the same.
func (f *CSINodeFact) Same(o *CSINodeFact) bool {
	return same(f, o, func(f *CSINodeFact) *string { return &f.ResourceVersion })
}

// Same reports whether two facts tell the same.
func (f *CSIDriverFact) Same(o *CSIDriverFact) bool {
	return same(f, o, func(f *CSIDriverFact) *string { return &f.ResourceVersion })
}

// Same reports whether two facts tell the same.
func (f *CapacityFact) Same(o *CapacityFact) bool {
	return same(f, o, func(f *CapacityFact) *string { return &f.ResourceVersion })
}

// Same reports whether two facts tell the same.
func (f *AttachmentFact) Same(o *AttachmentFact) bool {
	return same(f, o, func(f *AttachmentFact) *string { return &f.ResourceVersion })
}

func same[F any](a, b *F, version func(*F) *string) bool {
	if a == nil || b == nil {
		return a == b
	}
	x, y := *a, *b
	*version(&x), *version(&y) = "", ""
	return reflect.DeepEqual(x, y)
}
