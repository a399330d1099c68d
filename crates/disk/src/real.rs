//! The operating system's files.

use std::ffi::CString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memmap2::{Advice, Mmap, MmapOptions};
use parking_lot::Mutex;

use crate::error::{DiskError, DiskErrorKind};
use crate::port::{DirLock, Disk, DiskFile, LOCK_FILE_NAME, Lent, OpenMode};

/// Zeros written at a time where the file system cannot reserve space (bytes): large enough to
/// cost few calls, small enough to be nothing in memory.
const ZERO_FILL_BYTES: usize = 1 << 20;

/// The operating system's file tree.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl RealDisk {
    /// The tree as this process sees it.
    pub fn new() -> Self {
        Self
    }
}

impl Disk for RealDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> Result<Arc<dyn DiskFile>, DiskError> {
        let mut options = OpenOptions::new();
        options.read(true).write(mode != OpenMode::Read);
        match mode {
            OpenMode::Read | OpenMode::Existing => {}
            OpenMode::OrCreate => drop(options.create(true).truncate(false)),
            OpenMode::New => drop(options.create_new(true)),
        }
        let action = if mode.creates() { "create" } else { "open" };
        let file = options.open(path).map_err(|error| creation_error(action, path, &error))?;
        Ok(Arc::new(RealFile { file, path: path.to_path_buf(), lent_bytes: Mutex::new(0) }))
    }

    fn exists(&self, path: &Path) -> Result<bool, DiskError> {
        path.try_exists().map_err(|error| DiskError::from_io("look at", path, &error))
    }

    fn list(&self, dir: &Path) -> Result<Vec<String>, DiskError> {
        let failed = |error: io::Error| DiskError::from_io("list", dir, &error);
        let mut names = Vec::new();
        for entry in fs::read_dir(dir).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            // A name that is not UTF-8 is none of ours: we only ever create ASCII names.
            if let (true, Ok(name)) =
                (entry.file_type().map_err(failed)?.is_file(), entry.file_name().into_string())
            {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        fs::rename(from, to).map_err(|error| DiskError::from_io("rename", from, &error))
    }

    fn remove(&self, path: &Path) -> Result<(), DiskError> {
        fs::remove_file(path).map_err(|error| DiskError::from_io("remove", path, &error))
    }

    fn create_dir(&self, dir: &Path) -> Result<(), DiskError> {
        let missing: Vec<&Path> = dir
            .ancestors()
            .take_while(|ancestor| !ancestor.as_os_str().is_empty() && !ancestor.is_dir())
            .collect();
        for folder in missing.into_iter().rev() {
            match fs::create_dir(folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(creation_error("create folder", folder, &error));
                }
                _ => self.sync_dir(parent_of(folder))?,
            }
        }
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> Result<(), DiskError> {
        let dir = or_current(dir);
        let opened = File::open(dir).map_err(|error| DiskError::from_io("open folder", dir, &error))?;
        opened.sync_all().map_err(|error| sync_error(dir, &error))
    }

    fn lock_dir(&self, dir: &Path) -> Result<DirLock, DiskError> {
        let path = dir.join(LOCK_FILE_NAME);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(|error| creation_error("lock", dir, &error))?;
        match file.try_lock() {
            Ok(()) => {
                // Only for the message another process prints: on a full disk the lock holds without it.
                let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
                Ok(DirLock::new(file))
            }
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.take(20).read_to_string(&mut holder);
                let by = if holder.is_empty() { holder } else { format!("by process {holder}") };
                Err(DiskError::new("lock", dir, DiskErrorKind::Locked, by))
            }
            Err(TryLockError::Error(error)) => Err(DiskError::from_io("lock", dir, &error)),
        }
    }

    fn free_bytes(&self, dir: &Path) -> Result<u64, DiskError> {
        let usage = file_system_usage(dir).map_err(|error| DiskError::from_io("measure", dir, &error))?;
        Ok((usage.f_bavail as u64).saturating_mul(usage.f_frsize as u64))
    }
}

#[derive(Debug)]
struct RealFile {
    file: File,
    path: PathBuf,
    /// Up to which byte the file was lent as memory. Touching a mapped page beyond a file's end kills the process, so it is
    /// held while a page is mapped and while the file gets shorter.
    lent_bytes: Mutex<u64>,
}

impl RealFile {
    fn failed(&self, action: &'static str, error: &io::Error) -> DiskError {
        DiskError::from_io(action, &self.path, error)
    }

    /// Reserves by writing zeros, for file systems that know no other way.
    fn fill_with_zeros(&self, from: u64, to: u64) -> io::Result<()> {
        let zeros = vec![0; ZERO_FILL_BYTES];
        let mut offset = from;
        while offset < to {
            let count = zeros.len().min(usize::try_from(to - offset).unwrap_or(usize::MAX));
            self.file.write_all_at(&zeros[..count], offset)?;
            offset += count as u64;
        }
        Ok(())
    }

    fn reserve(&self, from: u64, to: u64) -> io::Result<()> {
        match allocate(&self.file, to) {
            Err(error) if matches!(error.raw_os_error(), Some(libc::EOPNOTSUPP | libc::ENOSYS)) => {
                self.fill_with_zeros(from, to)
            }
            done => done,
        }
    }
}

impl DiskFile for RealFile {
    fn len(&self) -> Result<u64, DiskError> {
        Ok(self.file.metadata().map_err(|error| self.failed("measure", &error))?.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, DiskError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.file.read_at(&mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed("read", &error)),
            }
        }
        Ok(filled)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        self.file.write_all_at(bytes, offset).map_err(|error| self.failed("write", &error))
    }

    fn set_len(&self, bytes: u64) -> Result<(), DiskError> {
        let lent_bytes = self.lent_bytes.lock();
        if bytes < *lent_bytes {
            let detail = format!("{bytes} bytes wanted, the first {lent_bytes} are lent");
            return Err(DiskError::new("resize", &self.path, DiskErrorKind::Lent, detail));
        }
        self.file.set_len(bytes).map_err(|error| self.failed("resize", &error))
    }

    fn sync(&self) -> Result<(), DiskError> {
        self.file.sync_data().map_err(|error| sync_error(&self.path, &error))
    }

    fn preallocate(&self, bytes: u64) -> Result<(), DiskError> {
        let before = self.len()?;
        if before >= bytes {
            return Ok(());
        }
        self.reserve(before, bytes).map_err(|error| {
            // What was reserved before the failure is given back; the failure itself is the news.
            let _ = self.file.set_len(before);
            self.failed("reserve space for", &error)
        })
    }

    fn path(&self) -> &Path {
        &self.path
    }

    fn lend(&self, from: u64, to: u64) -> Option<Lent> {
        let mut lent_bytes = self.lent_bytes.lock();
        let length = usize::try_from(to.checked_sub(from)?).ok().filter(|length| *length > 0)?;
        if to > self.len().ok()? {
            return None;
        }
        // SAFETY: the caller writes these bytes no more; the file is not made shorter through this handle, as `set_len` takes
        // the lock held here, and not through others, as the folder is locked by whoever opened it for writing.
        let map = unsafe { MmapOptions::new().offset(from).len(length).map(&self.file) }.ok()?;
        // Reads jump about: what lies behind the page asked for would be fetched for nothing.
        let _ = map.advise(Advice::Random);
        *lent_bytes = to.max(*lent_bytes);
        Some(Arc::new(Mapped(map)))
    }
}

struct Mapped(Mmap);

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// The folder that holds `path`; a bare name lies in the current one.
fn parent_of(path: &Path) -> &Path {
    or_current(path.parent().unwrap_or(path))
}

fn or_current(dir: &Path) -> &Path {
    if dir.as_os_str().is_empty() { Path::new(".") } else { dir }
}

fn sync_error(path: &Path, error: &io::Error) -> DiskError {
    DiskError::new("sync", path, DiskErrorKind::SyncFailed, error.to_string())
}

/// The kernel says ENOSPC for missing inodes too; the file system's own count tells them apart.
fn creation_error(action: &'static str, path: &Path, error: &io::Error) -> DiskError {
    let mut found = DiskError::from_io(action, path, error);
    let inodes_are_gone =
        || file_system_usage(parent_of(path)).is_ok_and(|usage| usage.f_files > 0 && usage.f_favail == 0);
    if found.kind == DiskErrorKind::NoSpace && inodes_are_gone() {
        found.kind = DiskErrorKind::NoInodes;
    }
    found
}

fn file_system_usage(dir: &Path) -> io::Result<libc::statvfs> {
    let name = CString::new(dir.as_os_str().as_bytes())?;
    let mut usage = std::mem::MaybeUninit::<libc::statvfs>::zeroed();
    // SAFETY: `name` is a NUL-terminated string and `usage` is large enough; both outlive the call.
    if unsafe { libc::statvfs(name.as_ptr(), usage.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the structure holds integers only, was zeroed, and the call that fills it succeeded.
    Ok(unsafe { usage.assume_init() })
}

#[cfg(target_os = "linux")]
fn allocate(file: &File, bytes: u64) -> io::Result<()> {
    let length = libc::off_t::try_from(bytes).map_err(|_| io::ErrorKind::FileTooLarge)?;
    loop {
        // SAFETY: the descriptor is open for as long as `file` is borrowed; no memory is passed.
        if unsafe { libc::fallocate(file.as_raw_fd(), 0, 0, length) } == 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn allocate(_file: &File, _bytes: u64) -> io::Result<()> {
    Err(io::Error::from_raw_os_error(libc::ENOSYS))
}
