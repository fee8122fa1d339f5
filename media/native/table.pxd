from libc.stdint cimport uint64_t

cdef struct TableNode:
    uint64_t key0
    uint64_t key1
    uint64_t key2
    void* value
    TableNode* next

ctypedef struct Table:
    TableNode** buckets
    uint64_t mask
    uint64_t count

cdef int table_init(Table* table, uint64_t buckets_power_of_two) noexcept nogil
cdef void table_free(Table* table) noexcept nogil
cdef void* table_get(const Table* table, uint64_t key0, uint64_t key1, uint64_t key2) noexcept nogil
cdef int table_put(Table* table, uint64_t key0, uint64_t key1, uint64_t key2, void* value) noexcept nogil
cdef int table_remove(Table* table, uint64_t key0, uint64_t key1, uint64_t key2) noexcept nogil
