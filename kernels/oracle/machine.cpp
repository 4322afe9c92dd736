// Runs kernels on the CPU: a fiber a lane, lanes and blocks in random order.
//
// A lane runs until it waits, for its warp or its block, or is done; then any other that may run does. So nothing but what the
// sources wait for orders two lanes, and a result that depends on more differs from the PTX's.
// CUDA_ORACLE_SEED chooses the order; the same seed gives the same one.
#include "machine.h"
#include <cstdint>
#include <cstdlib>
#include <sys/mman.h>

#if !defined(__x86_64__)
#error "fibers are switched by instructions of x86-64"
#endif

// Keeps what a call must keep on the stack, the stack's top in *from, and goes on at `to`.
extern "C" void oracle_switch(void** from, void* to);
asm(R"(
.text
.globl oracle_switch
.hidden oracle_switch
.type oracle_switch, @function
oracle_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size oracle_switch, .-oracle_switch
)");

namespace oracle {
uint3 thread, block, grid;
unsigned char* dynamic;
const std::vector<Program>* programs;

namespace {
constexpr unsigned MOST_THREADS = 1024, WARP = 32;
// Not a power of two, so that the tops of stacks are not all in the same lines of the cache.
constexpr size_t STACK = (64 << 10) + 448, GUARD = 64;

struct Lane {
    void* top;
    unsigned exchanges;
    bool done;
};
struct Warp {
    unsigned arrived;
    alignas(8) unsigned char left[2][WARP][8];
};

Lane lanes[MOST_THREADS];
Warp warps[MOST_THREADS / WARP];
unsigned ready[MOST_THREADS], count_ready, current, threads_of_block, waiting, done;
void *scheduler, **arguments_of_launch;
void (*kernel_of_launch)(void**);
uint64_t state = 0;

// Marsaglia's xorshift64*.
unsigned below(unsigned n) {
    if (state == 0) {
        const char* seed = std::getenv("CUDA_ORACLE_SEED");
        state = 0x9E3779B97F4A7C15ull * (2 * (seed ? std::strtoull(seed, nullptr, 10) : 1) + 1);
    }
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (unsigned)((state * 0x2545F4914F6CDD1Dull >> 32) * n >> 32);
}

void yield_lane() { oracle_switch(&lanes[current].top, scheduler); }

void lane_main() {
    kernel_of_launch(arguments_of_launch);
    lanes[current].done = true;
    done++;
    yield_lane();
    std::abort();
}

unsigned char* stacks() {
    static unsigned char* all = [] {
        void* room = mmap(nullptr, STACK * MOST_THREADS, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        return room == MAP_FAILED ? nullptr : (unsigned char*)room;
    }();
    return all;
}

void begin_lane(unsigned i) {
    uintptr_t top = ((uintptr_t)stacks() + STACK * (i + 1)) & ~(uintptr_t)15;
    // Six registers and the address that the switch returns to; a function begins 8 bytes off a multiple of 16.
    void** stack = (void**)(top - 16);
    *stack = (void*)lane_main;
    lanes[i] = Lane{stack - 6, 0, false};
}

// Runs one block; false if its lanes wait for each other without end.
bool run_block() {
    count_ready = threads_of_block;
    waiting = done = 0;
    for (unsigned i = 0; i < threads_of_block; i++) begin_lane(i), ready[i] = i;
    for (unsigned w = 0; w < threads_of_block / WARP; w++) warps[w].arrived = 0;
    while (count_ready > 0) {
        unsigned at = below(count_ready);
        current = ready[at];
        ready[at] = ready[--count_ready];
        thread = uint3{current, 0, 0};
        oracle_switch(&scheduler, lanes[current].top);
    }
    return done == threads_of_block;
}

// Counts a lane that has come to where its warp meets, and gives which of two rooms the meeting has.
unsigned meet(unsigned w) {
    unsigned room = lanes[current].exchanges++ % 2;
    if (++warps[w].arrived == WARP) {
        warps[w].arrived = 0;
        for (unsigned l = 0; l < WARP; l++)
            if (w * WARP + l != current) ready[count_ready++] = w * WARP + l;
    } else {
        yield_lane();
    }
    return room;
}
}

unsigned lane() { return current % WARP; }

void wait_for_block() {
    if (++waiting < threads_of_block) return yield_lane();
    waiting = 0;
    for (unsigned i = 0; i < threads_of_block; i++)
        if (i != current) ready[count_ready++] = i;
}

void exchange(const void* own, void* other, unsigned size, unsigned from) {
    Warp& w = warps[current / WARP];
    std::memcpy(w.left[lanes[current].exchanges % 2][lane()], own, size);
    unsigned room = meet(current / WARP);
    std::memcpy(other, w.left[room][from], size);
}

unsigned vote(bool yes) {
    Warp& w = warps[current / WARP];
    w.left[lanes[current].exchanges % 2][lane()][0] = yes;
    unsigned room = meet(current / WARP), votes = 0;
    for (unsigned l = 0; l < WARP; l++) votes |= (unsigned)w.left[room][l][0] << l;
    return votes;
}

std::string run(void (*kernel)(void**), void** arguments, uint3 size, unsigned threads, unsigned bytes) {
    if (threads == 0 || threads > MOST_THREADS || threads % WARP) return "blocks of whole warps, 1024 threads at most";
    if (!stacks()) return "no room for stacks";
    std::vector<unsigned char> shared(bytes + GUARD + 16);
    dynamic = (unsigned char*)(((uintptr_t)shared.data() + 15) & ~(uintptr_t)15);
    kernel_of_launch = kernel, arguments_of_launch = arguments, threads_of_block = threads, grid = size;
    std::vector<uint3> order;
    for (unsigned y = 0; y < size.y; y++)
        for (unsigned x = 0; x < size.x; x++) order.push_back(uint3{x, y, 0});
    for (size_t left = order.size(); left > 0; left--) {
        std::swap(order[left - 1], order[below((unsigned)left)]);
        block = order[left - 1];
        std::memset(dynamic, 0xff, bytes + GUARD);
        if (!run_block()) return "lanes wait for lanes that never come";
        for (unsigned i = 0; i < GUARD; i++)
            if (dynamic[bytes + i] != 0xff) return "a write past the shared memory that the launch asked for";
    }
    return "";
}
}
