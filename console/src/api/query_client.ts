/** How questions are repeated: never what was refused, a few times what could not be answered. */

import { QueryClient } from "@tanstack/react-query";
import { ApiProblem } from "./problem.ts";

const AGAIN = 3;


export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      retry: (failures, error) =>
        failures < AGAIN && error instanceof ApiProblem && (error.status === 0 || error.status >= 500),
      refetchOnWindowFocus: true,
    },
    mutations: { retry: false },
  },
});
