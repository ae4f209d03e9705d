// Writing the image of a module (runtime/image.h) into an object.
#ifndef VTR_AOT_IMAGE_H
#define VTR_AOT_IMAGE_H

#include "aot/object.h"
#include "runtime/image.h"

// What of the image is not in the module. Symbols are those of the object, NONE = a null address.
typedef struct ImageCode {
    const uint32_t *functions;     // by function index
    const uint32_t *entries;       // by function index: its entry thunk
    const uint32_t *externs;       // by import
    uint32_t entry;                // function index or BC_NONE
    uint8_t (*trap)(uint8_t code); // from an IR trap code to what FrameSite.trap is in an image
} ImageCode;

// Writes tables for the module and for all functions of the object, and defines the symbol vitrail_image.
void image_write(Object *o, const BcModule *m, const ImageCode *code);

#endif
