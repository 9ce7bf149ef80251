"""The VectorStores API: what its providers offer and the server calls.

Generated from apis/vector_stores.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...runtime.context import Context
    from .requests import (
        CancelVectorStoreFileBatchRequest,
        CreateVectorStoreFileBatchRequest,
        CreateVectorStoreFileRequest,
        CreateVectorStoreRequest,
        DeleteVectorStoreFileRequest,
        DeleteVectorStoreRequest,
        ListVectorStoreFilesInBatchRequest,
        ListVectorStoreFilesRequest,
        ListVectorStoresRequest,
        ModifyVectorStoreRequest,
        RetrieveVectorStoreFileBatchRequest,
        RetrieveVectorStoreFileContentRequest,
        RetrieveVectorStoreFileRequest,
        RetrieveVectorStoreRequest,
        SearchVectorStoreRequest,
        UpdateVectorStoreFileRequest,
    )
    from .responses import (
        DeleteVectorStoreFileResponse,
        DeleteVectorStoreResponse,
        ListVectorStoreFilesResponse,
        ListVectorStoresResponse,
        VectorStoreFileBatchObject,
        VectorStoreFileContentResponse,
        VectorStoreFileObject,
        VectorStoreObject,
        VectorStoreSearchResultsPage,
    )


class VectorStores(Protocol):
    """Texts that are found by what they mean or by their words, as OpenAI's vector stores API has them: files are
    attached to a store, cut into chunks, and searched. `embedding_model`, `embedding_dimension`, `provider_id`,
    `search_mode` and what ranks hybrid searches are Llama Stack's.
    """

    async def list_vector_stores(self, request: ListVectorStoresRequest, ctx: Context) -> ListVectorStoresResponse:
        """List the stores."""

    async def create_vector_store(self, request: CreateVectorStoreRequest, ctx: Context) -> VectorStoreObject:
        """Make a store."""

    async def retrieve_vector_store(self, request: RetrieveVectorStoreRequest, ctx: Context) -> VectorStoreObject:
        """Describe a store."""

    async def modify_vector_store(self, request: ModifyVectorStoreRequest, ctx: Context) -> VectorStoreObject:
        """Change what a store is called, and when it expires."""

    async def delete_vector_store(self, request: DeleteVectorStoreRequest, ctx: Context) -> DeleteVectorStoreResponse:
        """Delete a store."""

    async def search_vector_store(
        self, request: SearchVectorStoreRequest, ctx: Context
    ) -> VectorStoreSearchResultsPage:
        """Find the chunks that fit a query."""

    async def list_vector_store_files(
        self, request: ListVectorStoreFilesRequest, ctx: Context
    ) -> ListVectorStoreFilesResponse:
        """List the files of a store."""

    async def create_vector_store_file(
        self, request: CreateVectorStoreFileRequest, ctx: Context
    ) -> VectorStoreFileObject:
        """Attach a file to a store."""

    async def retrieve_vector_store_file(
        self, request: RetrieveVectorStoreFileRequest, ctx: Context
    ) -> VectorStoreFileObject:
        """Describe a file of a store."""

    async def update_vector_store_file(
        self, request: UpdateVectorStoreFileRequest, ctx: Context
    ) -> VectorStoreFileObject:
        """Replace a file's attributes."""

    async def delete_vector_store_file(
        self, request: DeleteVectorStoreFileRequest, ctx: Context
    ) -> DeleteVectorStoreFileResponse:
        """Take a file out of a store."""

    async def retrieve_vector_store_file_content(
        self, request: RetrieveVectorStoreFileContentRequest, ctx: Context
    ) -> VectorStoreFileContentResponse:
        """Give the text that was taken out of a file."""

    async def create_vector_store_file_batch(
        self, request: CreateVectorStoreFileBatchRequest, ctx: Context
    ) -> VectorStoreFileBatchObject:
        """Attach many files to a store."""

    async def retrieve_vector_store_file_batch(
        self, request: RetrieveVectorStoreFileBatchRequest, ctx: Context
    ) -> VectorStoreFileBatchObject:
        """Describe a batch."""

    async def cancel_vector_store_file_batch(
        self, request: CancelVectorStoreFileBatchRequest, ctx: Context
    ) -> VectorStoreFileBatchObject:
        """Stop taking in what a batch has left."""

    async def list_vector_store_files_in_batch(
        self, request: ListVectorStoreFilesInBatchRequest, ctx: Context
    ) -> ListVectorStoreFilesResponse:
        """List the files of a batch."""
