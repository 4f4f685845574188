"""What a publicity site gets: site descriptors, the release writer, manifest and signature, the reference client."""
