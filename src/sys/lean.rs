//! What `cargo static` links in the place of functions of the C library and of libgcc (.cargo/config.toml). Each does what the original
//! does in gb, but brings nothing along that never runs there: scanf and buffered files for a look at the stack, an unwinder, the
//! readers of DWARF and of symbols for backtraces.
//!
//! They are of `src/main.rs`, not of the library, whose tests and dynamic builds have the originals.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_void};

/// Walks the stack for a panic's backtrace, which has no frame: without unwinding tables (.cargo/static.ld) none can be found, and
/// libgcc's aborts. Since nobody calls what is to be done with a frame, Rust's readers of debugging information are left out, too.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Backtrace(_visit: *mut c_void, _state: *mut c_void) -> c_int {
    const END_OF_STACK: c_int = 5;
    END_OF_STACK
}

/// Goes on with unwinding: nothing unwinds (Cargo.toml: `panic = "abort"`).
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume(_exception: *mut c_void) -> ! {
    std::process::abort()
}

/// Where the stack is, which Rust's runtime asks before main to tell an overflow from another fault
/// (library/std/src/sys/pal/unix/stack_overflow.rs). gb has but one thread.
///
/// The C library's reads /proc/self/maps line by line with `sscanf`. The kernel tells the end too: the name of the program that it was
/// asked to execute is the last thing on the stack, but for a word of zeros (fs/exec.c, `__bprm_mm_init` and `do_execveat_common`).
#[unsafe(no_mangle)]
extern "C" fn pthread_getattr_np(_thread: libc::pthread_t, attributes: *mut libc::pthread_attr_t) -> c_int {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: takes no pointer.
    let (name, page) = unsafe { (libc::getauxval(libc::AT_EXECFN), libc::getauxval(libc::AT_PAGESZ)) };
    // SAFETY: limit is an rlimit.
    let known = unsafe { libc::getrlimit(libc::RLIMIT_STACK, &mut limit) } == 0;
    if name == 0 || page == 0 || !known || limit.rlim_cur == libc::RLIM_INFINITY {
        return libc::ENOENT;
    }
    // SAFETY: the kernel's pointer to a string that ends, and stays as long as the process.
    let name = unsafe { CStr::from_ptr(name as *const c_char) }.to_bytes_with_nul();
    let end = (name.as_ptr_range().end as usize + size_of::<usize>()).next_multiple_of(page as usize);
    let size = limit.rlim_cur as usize / page as usize * page as usize;
    let Some(start) = end.checked_sub(size) else { return libc::ENOENT };
    // SAFETY: the caller's attributes are to be initialised; setstack looks at the size alone.
    unsafe {
        libc::pthread_attr_init(attributes);
        libc::pthread_attr_setstack(attributes, start as *mut c_void, size)
    }
}
