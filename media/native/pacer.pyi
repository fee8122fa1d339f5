"""No Python face: the C functions are called by sibling modules, and proved through `worker` driven by hand."""
