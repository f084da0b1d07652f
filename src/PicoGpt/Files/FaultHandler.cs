using System.Runtime.InteropServices;
using ProcessorKind = System.Runtime.InteropServices.Architecture;

namespace PicoGpt.Files;

/// <summary>
/// Keeps this process alive where it reads a mapped page that its file no longer has: because the file was cut short, because a disk or
/// another machine fails. Linux sends SIGBUS then, which ends a process. For the ranges that are entered here a handler puts a page of
/// zeros in the place of the one that is missing, and notes that it did; whoever reads such a range looks at the note afterwards.
/// All other faults go to whoever handled them before.
/// </summary>
/// <remarks>
/// Managed code must not run in a handler of a fault that managed code raises, so the handler is machine code: it looks through the table
/// of ranges, makes the note and calls mmap(2), nothing else. Where memory cannot be made executable, or another library
/// has put its own handler in the place of this one, <see cref="TryEnter"/> enters nothing, and nothing is to be mapped.
/// </remarks>
internal static unsafe partial class FaultHandler
{
    private const int BusError = 7; // SIGBUS
    private const int ReadAndWrite = 3, ReadAndExecute = 5; // PROT_…
    private const int PrivateMemory = 0x22; // MAP_PRIVATE | MAP_ANONYMOUS
    private const int SystemPageSize = 30; // _SC_PAGESIZE
    private const int MaxCodeLength = 4096;
    private const int CodeStart = 48;

    // The most files that are mapped at once.
    private const int Capacity = 4096;

    private static readonly Lock Gate = new();
    private static Range* _ranges;
    private static nint _handler; // 0 where there is none

    static FaultHandler()
    {
        if (CodeOf(RuntimeInformation.ProcessArchitecture) is { } code && OperatingSystem.IsLinux()) Install(code);
    }

    /// <summary>Whether the handler is the one that the system calls.</summary>
    public static bool IsActive
    {
        get
        {
            if (_handler == 0) return false;
            SignalAction current;
            return SetAction(BusError, null, &current) == 0 && current.Handler == _handler;
        }
    }

    /// <summary>Enters a range of mapped pages.</summary>
    /// <returns>Its place in the table, or <see langword="null"/> where nobody would handle its faults.</returns>
    public static Range* TryEnter(byte* start, long length)
    {
        lock (Gate)
        {
            if (!IsActive) return null;
            for (Range* range = _ranges; range < _ranges + Capacity; range++)
            {
                if (range->End != 0) continue;
                range->IsHit = 0;
                range->Start = (nuint)start;
                Volatile.Write(ref range->End, (nuint)start + (nuint)length); // last: it makes the entry
                return range;
            }

            return null;
        }
    }

    /// <summary>Takes a range out of the table; before its pages are unmapped.</summary>
    public static void Leave(Range* range)
    {
        lock (Gate) Volatile.Write(ref range->End, 0);
    }

    // The code of x64 and ARM64: a jump over five numbers (first and last address of the table, the handler before, the mask and the
    // size of a page) to the handler proper, which is called as handler(signal, siginfo_t*, context).
    private static byte[]? CodeOf(ProcessorKind architecture) => architecture switch
    {
        // mov rax, [rsi+16]; mov r10, [first]; mov r11, [last]                   the address of the fault; the table
        // next: cmp r10, r11; jae chain; cmp rax, [r10]; jb skip; cmp rax, [r10+8]; jb found; skip: add r10, 32; jmp next
        // found: mov dword [r10+16], 1; push rdi, rsi, rdx; mov rdi, rax; and rdi, [mask]; mov rsi, [size]
        // mov edx, PROT_READ; mov r10d, MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS; mov r8, -1; xor r9d, r9d; mov eax, 9; syscall
        // pop rdx, rsi, rdi; cmp rax, -4095; jae chain; ret; chain: jmp [old]
        ProcessorKind.X64 => Convert.FromHexString(
            "eb2e660f1f4400000000000000000000" + "00000000000000000000000000000000" + "00000000000000000000000000000000"
            + "488b46104c8b15cdffffff4c8b1dceff" + "ffff4d39da7355493b027206493b4208" + "72064983c220ebea41c7421001000000"
            + "5756524889c748233db3ffffff488b35" + "b4ffffffba0100000041ba3200000049" + "c7c0ffffffff4531c9b8090000000f05"
            + "5a5e5f483d01f0ffff7301c3ff2576ff" + "ffff"),

        // ldr x9, [x1, #16]; ldr x10, first; ldr x11, last
        // next: cmp x10, x11; b.hs chain; ldr x12, [x10]; cmp x9, x12; b.lo skip; ldr x12, [x10, #8]; cmp x9, x12; b.lo found
        // skip: add x10, x10, #32; b next; found: mov w12, #1; str w12, [x10, #16]; mov x13, x0; mov x14, x1; mov x15, x2
        // ldr x12, mask; and x0, x9, x12; ldr x1, size; mov x2, #1; mov x3, #0x32; mov x4, #-1; mov x5, #0; mov x8, #222; svc #0
        // cmn x0, #4095; mov x0, x13; mov x1, x14; mov x2, x15; b.hs chain; ret; chain: ldr x10, old; br x10
        ProcessorKind.Arm64 => Convert.FromHexString(
            "0c0000141f2003d50000000000000000" + "00000000000000000000000000000000" + "00000000000000000000000000000000"
            + "290840f9aafeff58cbfeff585f010beb" + "a20300544c0140f93f010ceb83000054" + "4c0540f93f010ceb630000544a810091"
            + "f7ffff172c0080524c1100b9ed0300aa" + "ee0301aaef0302aa4cfdff5820010c8a" + "41fdff58220080d2430680d204008092"
            + "050080d2c81b80d2010000d41ffc3fb1" + "e0030daae1030eaae2030faa42000054" + "c0035fd62afbff5840011fd6"),
        _ => null,
    };

    private static void Install(byte[] code)
    {
        SignalAction action;
        if (SetAction(BusError, null, &action) != 0 || action.Handler is 0 or 1) return; // .NET has one, and all but its own go through it
        nint page = Map(0, MaxCodeLength, ReadAndWrite, PrivateMemory, -1, 0);
        if (page == -1) return;
        code.CopyTo(new Span<byte>((void*)page, MaxCodeLength));
        _ranges = (Range*)NativeMemory.AllocZeroed(Capacity, (nuint)sizeof(Range));
        long pageSize = ValueOf(SystemPageSize);
        nint* numbers = (nint*)page + 1;
        numbers[0] = (nint)_ranges;
        numbers[1] = (nint)(_ranges + Capacity);
        numbers[2] = action.Handler;
        numbers[3] = (nint)(-pageSize);
        numbers[4] = (nint)pageSize;
        if (Protect(page, MaxCodeLength, ReadAndExecute) != 0) return;
        action.Handler = page + CodeStart; // with the flags and the mask of the one before
        if (SetAction(BusError, &action, null) == 0) _handler = action.Handler;
    }

    [LibraryImport("libc", EntryPoint = "sigaction")]
    private static partial int SetAction(int signal, SignalAction* action, SignalAction* before);

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(nint address, nint length, int protection);

    [LibraryImport("libc", EntryPoint = "sysconf")]
    private static partial nint ValueOf(int name);

    /// <summary>A range of the table: 32 bytes, as the handler knows them.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 32)]
    public struct Range
    {
        [FieldOffset(0)]
        public nuint Start;

        [FieldOffset(8)]
        public nuint End;

        /// <summary>Not 0 once a page of the range was missing.</summary>
        [FieldOffset(16)]
        public int IsHit;
    }

    // struct sigaction of glibc and musl, on 64 bits
    [StructLayout(LayoutKind.Explicit, Size = 152)]
    private struct SignalAction
    {
        [FieldOffset(0)]
        public nint Handler;
    }
}
