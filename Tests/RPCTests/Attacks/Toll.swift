import CMalloc
import Glibc

/// What this process has used so far.
struct Toll {
    /// Seconds of all its threads on processors.
    let cpuSeconds: Double
    /// Bytes of memory that it holds (VmRSS).
    let residentBytes: Int
    /// Bytes of memory that were asked for and not given back (mallinfo2).
    let allocatedBytes: Int
    /// Open sockets, files and the like.
    let descriptors: Int

    static var now: Toll {
        var usage = rusage()
        unsafe getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
        let seconds = Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        let microseconds = Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
        let memory = mallinfo2()
        return Toll(
            cpuSeconds: seconds + microseconds / 1e6, residentBytes: resident,
            allocatedBytes: Int(memory.uordblks + memory.hblkhd),
            descriptors: countDescriptors())
    }

    /// The second number of /proc/self/statm, in pages.
    private static var resident: Int {
        guard let file = unsafe fopen("/proc/self/statm", "r") else { return 0 }
        defer { unsafe fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = unsafe fread(&bytes, 1, bytes.count, file)
        let words = String(decoding: bytes.prefix(count), as: UTF8.self).split(separator: " ")
        return (words.count > 1 ? Int(words[1]) ?? 0 : 0) * Int(getpagesize())
    }

    private static func countDescriptors() -> Int {
        guard let folder = unsafe opendir("/proc/self/fd") else { return 0 }
        defer { unsafe closedir(folder) }
        var count = 0
        while unsafe readdir(folder) != nil { count += 1 }
        return count
    }

    /// Whether a sanitizer slows everything down, so that time and memory say nothing.
    static let isSanitized = unsafe getenv("HONE_SANITIZER") != nil
}
