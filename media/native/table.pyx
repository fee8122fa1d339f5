# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Chained hash table from three 64-bit words to a pointer: addresses to transports, (transport, SSRC) to streams."""

cimport cython
from libc.stdint cimport uint64_t, uintptr_t
from libc.stdlib cimport calloc, free, malloc


cdef inline uint64_t mix(uint64_t key0, uint64_t key1, uint64_t key2) noexcept nogil:
    """Spread three words over 64 bits; two rounds are enough, since keys are not chosen by peers alone."""
    cdef uint64_t value = key0 * 0x9E3779B97F4A7C15ULL ^ key1 * 0xC2B2AE3D27D4EB4FULL ^ key2 * 0x165667B19E3779F9ULL
    value ^= value >> 29
    value *= 0xBF58476D1CE4E5B9ULL
    return value ^ (value >> 32)


cdef int table_init(Table* table, uint64_t buckets_power_of_two) noexcept nogil:
    """Prepare an empty table; -1 if there is no memory."""
    table.buckets = <TableNode**>calloc(buckets_power_of_two, sizeof(TableNode*))
    table.mask = buckets_power_of_two - 1
    table.count = 0
    return 0 if table.buckets != NULL else -1


cdef void table_free(Table* table) noexcept nogil:
    """Drop all nodes; values belong to the caller."""
    cdef uint64_t bucket
    cdef TableNode* node
    cdef TableNode* following
    if table.buckets == NULL:
        return
    for bucket in range(table.mask + 1):
        node = table.buckets[bucket]
        while node != NULL:
            following = node.next
            free(node)
            node = following
    free(table.buckets)
    table.buckets = NULL
    table.count = 0


cdef TableNode** find(const Table* table, uint64_t key0, uint64_t key1, uint64_t key2) noexcept nogil:
    """Return the link that points to the node of this key, or to the NULL that ends its chain."""
    cdef TableNode** link = &table.buckets[mix(key0, key1, key2) & table.mask]
    while link[0] != NULL:
        if link[0].key0 == key0 and link[0].key1 == key1 and link[0].key2 == key2:
            return link
        link = &link[0].next
    return link


cdef void* table_get(const Table* table, uint64_t key0, uint64_t key1, uint64_t key2) noexcept nogil:
    """Return the value, or NULL."""
    cdef TableNode* node = find(table, key0, key1, key2)[0]
    return node.value if node != NULL else NULL


cdef int table_put(Table* table, uint64_t key0, uint64_t key1, uint64_t key2, void* value) noexcept nogil:
    """Insert or replace; -1 if there is no memory."""
    cdef TableNode** link = find(table, key0, key1, key2)
    cdef TableNode* node = link[0]
    if node == NULL:
        node = <TableNode*>malloc(sizeof(TableNode))
        if node == NULL:
            return -1
        node.key0 = key0
        node.key1 = key1
        node.key2 = key2
        node.next = NULL
        link[0] = node
        table.count += 1
    node.value = value
    return 0


cdef int table_remove(Table* table, uint64_t key0, uint64_t key1, uint64_t key2) noexcept nogil:
    """Remove a key; 1 if it was there."""
    cdef TableNode** link = find(table, key0, key1, key2)
    cdef TableNode* node = link[0]
    if node == NULL:
        return 0
    link[0] = node.next
    free(node)
    table.count -= 1
    return 1


@cython.auto_pickle(False)
cdef class WordTable:
    """Python face for tests: maps three integers to one positive integer."""

    cdef Table table

    def __cinit__(self, uint64_t buckets_power_of_two=16):
        if table_init(&self.table, buckets_power_of_two) < 0:
            raise MemoryError

    def __dealloc__(self):
        table_free(&self.table)

    def __len__(self) -> int:
        return self.table.count

    def get(self, uint64_t key0, uint64_t key1, uint64_t key2) -> int | None:
        """Return the integer stored under the key, or None."""
        cdef void* value = table_get(&self.table, key0, key1, key2)
        return <uintptr_t>value if value != NULL else None

    def put(self, uint64_t key0, uint64_t key1, uint64_t key2, uintptr_t value) -> None:
        """Store a positive integer under the key."""
        if table_put(&self.table, key0, key1, key2, <void*>value) < 0:
            raise MemoryError

    def remove(self, uint64_t key0, uint64_t key1, uint64_t key2) -> bool:
        """Remove the key; True if it was there."""
        return table_remove(&self.table, key0, key1, key2) == 1
